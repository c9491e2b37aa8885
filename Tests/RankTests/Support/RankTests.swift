import Testing

/// Tests on the built program, alone and under mpirun. One at a time: each fills the machine.
@Suite("Ranks", .serialized)
enum RankTests {}
