import Foundation
import Host
import Testing

@testable import Collectives

@Suite struct PlacementTests {
    @Test func ranksThatShareAMaskDivideItAndTheFirstGetTheRemainder() {
        let shares = Placement.deal([[0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 5, 6]])
        #expect(shares.map(\.count) == [3, 2, 2])
        #expect(shares.joined().sorted() == Array(0..<7))
    }

    @Test func boundRanksKeepTheirOwn() {
        #expect(Placement.deal([[0, 1], [2, 3]]) == [[0, 1], [2, 3]])
    }

    @Test func whoHasAChoiceMakesUpForWhoHasNone() {
        #expect(Placement.deal([[0, 1], [0]]) == [[1], [0]])
        #expect(Placement.deal([[0], [0, 1, 2]]) == [[0], [1, 2]])
    }

    @Test func moreRanksThanCores() {
        let node = (0..<3).map { resources($0, [0, 1]) }
        let placements = (0..<3).map { Placement(rank: $0, host: "a", node: node, threads: .automatic) }
        #expect(placements.map(\.threads) == [1, 1, 1])
        #expect(placements.map(\.share) == [[0], [1], []])
        #expect(
            placements[0].oversubscription
                == "3 ranks with 3 threads in all share 2 cores on a: "
                + "steps will be slower than with fewer ranks or threads.")
    }

    @Test func fairShareIsNotOversubscribed() {
        let node = [4, 7].map { resources($0, [0, 1, 2, 3]) }
        let placement = Placement(rank: 7, host: "a", node: node, threads: .automatic)
        #expect(
            placement.threads == 2 && placement.ranksOnNode == [4, 7] && placement.cores == [0, 1, 2, 3])
        #expect(placement.share == [1, 3] && placement.oversubscription == nil && placement.idleCores == nil)
    }

    @Test func requestedThreadsAreKeptAndJudged() {
        let node = [0, 1].map { resources($0, [0, 1, 2, 3]) }
        let fits = Placement(rank: 0, host: "a", node: node, threads: .exactly(2))
        #expect(fits.threads == 2 && fits.oversubscription == nil)
        let crowded = Placement(rank: 0, host: "a", node: node, threads: .exactly(3))
        #expect(crowded.threads == 3)
        #expect(
            crowded.oversubscription?.hasPrefix("2 ranks with 6 threads in all share 4 cores on a") == true)
        let bound = [resources(0, [0]), resources(1, [1, 2, 3])]
        let mixed = Placement(rank: 1, host: "a", node: bound, threads: .exactly(2))
        #expect(mixed.oversubscription?.hasPrefix("Rank 0 has 2 threads but is bound to 1 core on a") == true)
    }

    @Test func quotaIsDividedToo() {
        let node = [0, 1].map { resources($0, Array(0..<8), quota: 3.5) }
        let placements = [0, 1].map { Placement(rank: $0, host: "a", node: node, threads: .automatic) }
        #expect(placements.map(\.threads) == [2, 1])
        #expect(placements[0].oversubscription == nil && placements[0].idleCores == nil)
        let crowded = Placement(rank: 0, host: "a", node: node, threads: .exactly(2))
        #expect(crowded.oversubscription?.contains("share a quota of 3.5 processors") == true)
        let tiny = Placement(
            rank: 0, host: "a", node: [resources(0, [0, 1], quota: 0.5)], threads: .automatic)
        #expect(tiny.threads == 1 && tiny.oversubscription == nil)
    }

    @Test func coresLeftIdleByBindingAreSaid() {
        let node = [0, 1].map { resources($0, [$0], launcher: Array(0..<16)) }
        let placement = Placement(rank: 0, host: "a", node: node, threads: .automatic)
        #expect(placement.threads == 1)
        #expect(
            placement.idleCores
                == "2 ranks on a may run on 2 of its 16 cores; with mpirun, --bind-to none lets them use all."
        )
    }

    @Test func aloneOnThisMachine() throws {
        let placement = try Placement.query(on: SoloCommunicator())
        // Counted from the affinity mask by Foundation, by another way.
        #expect(placement.cores.count == ProcessInfo.processInfo.activeProcessorCount)
        #expect(placement.share == placement.cores && placement.ranksOnNode == [0])
        #expect((1...placement.cores.count).contains(placement.threads))
        #expect(try Placement.query(on: SoloCommunicator(), threads: .exactly(3)).threads == 3)
    }

    @Test func ranksTellEachOtherTheirResources() throws {
        let results = ThreadedRanks.run(2) { try Placement.query(on: $0) }
        let placements = try results.map { try $0.get() }
        #expect(placements.map(\.ranksOnNode) == [[0, 1], [0, 1]])
        #expect(placements.map(\.hostName) == ["node0", "node1"])
        #expect(Set(placements.flatMap(\.share)) == Set(placements[0].cores))
        let sent = resources(1, [0, 5], launcher: [0, 1, 5], quota: 1.5)
        #expect(Placement.Resources(rank: 1, bytes: sent.bytes) == sent)
    }

    @Test func threadRequests() {
        #expect(ThreadRequest("auto") == .automatic)
        #expect(ThreadRequest("4") == .exactly(4))
        #expect(ThreadRequest("0") == nil && ThreadRequest("-1") == nil && ThreadRequest("many") == nil)
        #expect([ThreadRequest.automatic, .exactly(2)].map(\.description) == ["auto", "2"])
    }

    @Test func affinityLists() {
        #expect(AffinityMask.parse(list: "\t0-3,8,10-11") == [0, 1, 2, 3, 8, 10, 11])
        #expect(AffinityMask.parse(list: "5") == [5])
        #expect(AffinityMask.parse(list: "") == nil && AffinityMask.parse(list: "3-1") == nil)
        #expect(AffinityMask.parse(list: "a") == nil && AffinityMask.parse(list: "1-2-3") == nil)
    }

    private func resources(
        _ rank: Int, _ cores: [Int], launcher: [Int]? = nil, quota: Double? = nil
    ) -> Placement.Resources {
        .init(rank: rank, cores: cores, launcherCores: launcher ?? cores, quota: quota)
    }
}

@Suite struct ProcessorQuotaTests {
    @Test func leastLimitOnTheWayToTheRootCounts() throws {
        try withGroups([
            "a/b/cpu.max": "300000 100000\n", "a/cpu.max": "250000 100000", "cpu.max": "max 100000",
        ]) {
            #expect(ProcessorQuota.current(ControlGroups(groups: "0::/a/b\n", mount: $0)) == 2.5)
        }
    }

    @Test func noLimit() throws {
        try withGroups(["cpu.max": "max 100000\n"]) {
            #expect(ProcessorQuota.current(ControlGroups(groups: "0::/a\n", mount: $0)) == nil)
            #expect(ProcessorQuota.current(ControlGroups(groups: "", mount: $0)) == nil)
        }
    }

    @Test func filesOfAContainerLieAtTheMount() throws {
        try withGroups(["cpu.max": "150000 100000\n"]) {
            #expect(ProcessorQuota.current(ControlGroups(groups: "0::/not/visible\n", mount: $0)) == 1.5)
        }
    }

    @Test func versionOne() throws {
        try withGroups(["cpu/x/cpu.cfs_quota_us": "400000\n", "cpu/x/cpu.cfs_period_us": "100000\n"]) {
            #expect(
                ProcessorQuota.current(
                    ControlGroups(groups: "4:memory:/x\n3:cpu,cpuacct:/x\n0::/\n", mount: $0)) == 4)
        }
        try withGroups(["cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"]) {
            #expect(ProcessorQuota.current(ControlGroups(groups: "3:cpu:/\n", mount: $0)) == nil)
        }
    }

    private func withGroups(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "dicerank-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for (path, text) in files {
            let file = folder.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        try body(folder.path)
    }
}
