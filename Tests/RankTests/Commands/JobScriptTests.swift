import Foundation
import Testing

/// The scripts of Launch with stand-ins for what a cluster has.
@Suite("Job scripts go on with a run that a signal of the cluster stopped, and with no other")
struct JobScriptTests {
    /// What a job's launcher ends with, whether the run is complete then, and what the script makes of it.
    struct Ending: Sendable, CustomTestStringConvertible {
        let code: Int32
        var isComplete = false
        /// The script's own code.
        let exits: Int32
        let goesOn: Bool

        var testDescription: String { "code \(code), \(isComplete ? "complete" : "not complete")" }
    }

    private static func stub(_ name: String, _ text: String, in workspace: Workspace) throws {
        try workspace.write("#!/bin/sh\n\(text)\n", to: "bin/" + name)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: workspace.path("bin/" + name))
    }

    /// Runs a script of Launch.
    /// - Returns: its exit code, and what it told the queue; nil for nothing.
    private func run(
        _ script: String, _ arguments: [String], launcher: String, queue: String, _ ending: Ending,
        environment: [String: String]
    ) throws -> (code: Int32, queued: String?) {
        let workspace = try Workspace()
        try FileManager.default.createDirectory(
            atPath: workspace.path("bin"), withIntermediateDirectories: true)
        let done = ending.isComplete ? "mkdir -p run; echo '{\"complete\" : true}' >run/summary.json; " : ""
        try Self.stub(launcher, done + "exit \(ending.code)", in: workspace)
        try Self.stub(queue, "echo \"$@\" >queued", in: workspace)
        try workspace.write("host1\n", to: "nodes")
        try FileManager.default.createSymbolicLink(
            atPath: workspace.path("Launch"),
            withDestinationPath: packageFolder.appendingPathComponent("Launch").path)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = [workspace.path("Launch/" + script)] + arguments
        process.currentDirectoryURL = workspace.folder
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let path = workspace.path("bin") + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
        process.environment = Launcher.cleanEnvironment.merging(environment) { $1 }.merging([
            "PATH": path, "SLURM_SUBMIT_DIR": workspace.folder.path, "SLURM_JOB_ID": "7",
            "PBS_O_WORKDIR": workspace.folder.path, "PBS_NODEFILE": workspace.path("nodes"),
        ]) { $1 }
        try process.run()
        process.waitUntilExit()
        return (process.terminationStatus, try? workspace.read("queued"))
    }

    @Test(arguments: [
        Ending(code: 0, isComplete: true, exits: 0, goesOn: false), Ending(code: 0, exits: 0, goesOn: true),
        Ending(code: 138, exits: 0, goesOn: true), Ending(code: 143, exits: 0, goesOn: true),
        Ending(code: 130, exits: 130, goesOn: false), Ending(code: 1, exits: 1, goesOn: false),
    ])
    func slurm(ending: Ending) throws {
        let (code, queued) = try run(
            "slurm.sbatch", ["config.yaml", "run"], launcher: "srun", queue: "scontrol", ending,
            environment: [:])
        #expect(code == ending.exits)
        #expect(queued == (ending.goesOn ? "requeue 7\n" : nil))
    }

    @Test(arguments: [
        Ending(code: 0, isComplete: true, exits: 0, goesOn: false), Ending(code: 0, exits: 0, goesOn: true),
        Ending(code: 138, exits: 0, goesOn: true), Ending(code: 143, exits: 143, goesOn: false),
        Ending(code: 130, exits: 130, goesOn: false), Ending(code: 1, exits: 1, goesOn: false),
    ])
    func pbs(ending: Ending) throws {
        let (code, queued) = try run(
            "pbs.sh", [], launcher: "mpirun", queue: "qsub", ending,
            environment: ["CONFIG": "config.yaml", "RUN": "run"])
        #expect(code == ending.exits)
        #expect((queued != nil) == ending.goesOn)
    }
}
