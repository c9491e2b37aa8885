import Testing

@testable import Collectives

@Suite struct LaunchTests {
    @Test func withoutALauncherThereIsNoLaunch() {
        #expect(Launch.detect(in: ["PATH": "/bin", "HOME": "/root"]) == nil)
    }

    @Test func openMPI() {
        let environment = [
            "OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_LOCAL_RANK": "1", "PMIX_RANK": "3",
            "SLURM_STEP_NUM_TASKS": "1",
        ]
        #expect(Launch.detect(in: environment) == Launch(launcher: .openMPI, size: 4, localRank: 1))
    }

    @Test func mpich() {
        let environment = ["PMI_RANK": "1", "PMI_SIZE": "2", "MPI_LOCALRANKID": "0"]
        #expect(Launch.detect(in: environment) == Launch(launcher: .pmi, size: 2, localRank: 0))
    }

    @Test func slurmWithAPlugin() {
        let environment = [
            "PMIX_RANK": "5", "SLURM_STEP_NUM_TASKS": "8", "SLURM_PROCID": "5", "SLURM_LOCALID": "1",
        ]
        #expect(Launch.detect(in: environment) == Launch(launcher: .pmix, size: 8, localRank: 1))
    }

    @Test func slurmWithoutAPluginIsNotTakenForOneRank() {
        let environment = ["SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "2", "SLURM_LOCALID": "0"]
        let launch = Launch.detect(in: environment)
        #expect(launch == Launch(launcher: .slurmWithoutMPI, size: 4, localRank: 0))
        #expect(throws: LaunchError.noPlugin(tasks: 4)) { try launch.map { _ = try MPIScope($0) } }
    }

    @Test func batchScriptOrSingleTaskOfSlurmRunsAlone() {
        #expect(Launch.detect(in: ["SLURM_NTASKS": "4", "SLURM_PROCID": "0"]) == nil)
        #expect(Launch.detect(in: ["SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"]) == nil)
    }

    @Test func missingLibraryIsNamedWithTheReason() throws {
        let result = MPILibrary.open(["libdicerank-none.so.9", "libc.so.6"])
        let error = try #require(throws: MPILibraryError.self) { try result.get() }
        #expect(error.attempts.map(\.name) == ["libdicerank-none.so.9", "libc.so.6"])
        #expect(error.attempts[1].reason.contains("MPI_Init_thread"))
        #expect(
            error.description.hasPrefix("No usable \(MPILibrary.implementation) library was found; tried "))
        #expect(error.description.contains("libdicerank-none.so.9 (cannot open shared object file"))
    }

    @Test func libraryOfThisMachineTellsItsVersion() throws {
        // Built here, so that its mpi.h is here; the library normally is, too.
        let library = try MPILibrary.load()
        #expect(library.path.contains("libmpi"))
        #expect(library.summary.hasPrefix(MPILibrary.implementation))
        #expect(!MPILibrary.usualNames.isEmpty)
    }

    @Test func summaryOfAVersion() {
        #expect(
            MPILibrary.summary(of: "Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4")
                == "Open MPI v4.1.4")
        #expect(
            MPILibrary.summary(of: "MPICH Version:\t4.0.2\nMPICH Release date:\tThu")
                == "MPICH Version: 4.0.2")
    }

    @Test func aloneTheBodyRunsOnOneRankAndItsErrorIsUnchanged() throws {
        #expect(try World.run { $0.size } == 1)
        struct Complaint: Error {}
        #expect(throws: Complaint.self) { try World.run { _ in throw Complaint() } }
    }
}
