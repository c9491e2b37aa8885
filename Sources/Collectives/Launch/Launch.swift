import Foundation

/// How a launcher (`mpirun`, `srun`) started this process, read from its environment. Absent: nobody did, run
/// alone.
public struct Launch: Sendable, Equatable {
    /// The kinds of launchers that are told apart; the raw value is what a sentence calls them.
    public enum Launcher: String, Sendable {
        case openMPI = "Open MPI's mpirun"
        case pmi = "a PMI launcher (MPICH's mpiexec, or srun --mpi=pmi2)"
        case pmix = "a PMIx launcher (prterun, or srun --mpi=pmix)"
        case slurmWithoutMPI = "srun without an MPI plugin"
    }

    /// What started this process.
    public let launcher: Launcher

    /// Number of ranks that the launcher announces, if it does.
    public let size: Int?

    /// This process among those of its node, if the launcher announces it.
    public let localRank: Int?

    /// This process's launch; nil when no launcher started it.
    public static func current() -> Launch? { detect(in: ProcessInfo.processInfo.environment) }

    static func detect(in environment: [String: String]) -> Launch? {
        func number(_ names: String...) -> Int? {
            names.lazy.compactMap { environment[$0].flatMap { Int($0) } }.first
        }
        let slurmTasks = number("SLURM_STEP_NUM_TASKS")
        let launcher: Launcher
        if environment["OMPI_COMM_WORLD_SIZE"] != nil {
            launcher = .openMPI
        } else if environment["PMIX_RANK"] != nil {
            launcher = .pmix
        } else if environment["PMI_RANK"] != nil || environment["PMI_SIZE"] != nil {
            launcher = .pmi
        } else if let slurmTasks, slurmTasks > 1, environment["SLURM_PROCID"] != nil {
            launcher = .slurmWithoutMPI
        } else {
            return nil
        }
        return Launch(
            launcher: launcher,
            size: number("OMPI_COMM_WORLD_SIZE", "PMI_SIZE") ?? slurmTasks,
            localRank: number("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"))
    }
}

/// A launcher started several ranks that cannot reach each other.
public enum LaunchError: Error, Sendable, Equatable, CustomStringConvertible {
    /// `srun` started tasks without the means to connect them.
    case noPlugin(tasks: Int)
    /// The MPI library is not usable, although a launcher started this process.
    case noLibrary(Launch.Launcher, MPILibraryError)
    /// The library does not know the launcher's ranks: the two are of different implementations.
    case strangers(Launch.Launcher, announced: Int, found: Int, library: String)
    /// The library gives less thread support than the program needs.
    case noThreads(library: String)

    public var description: String {
        switch self {
        case .noPlugin(let tasks):
            return
                "srun started \(tasks) tasks without an MPI plugin, so that they cannot reach each other; start "
                + "them with srun --mpi=pmix or with mpirun."
        case .noLibrary(let launcher, let error):
            return "This process was started by \(launcher.rawValue), but cannot use MPI: \(error)"
        case .strangers(let launcher, let announced, let found, let library):
            return
                "\(launcher.rawValue) announced \(announced) ranks, but the MPI library \(library) found \(found); "
                + "use the launcher that belongs to that library, or set \(MPILibrary.overrideVariable)."
        case .noThreads(let library):
            return
                "The MPI library \(library) allows no threads beside MPI (\"single\"); \"funneled\" is needed."
        }
    }
}
