import Configuration
import Foundation
import TestSupport
import Testing

@testable import Sweep

@Suite struct SweepConfigurationTests {
    static let yaml = """
        run:
          steps: 7
          data: {list: subjects.csv, modalities: [flair]}
        networks:
          highres3dnet:
            patches: [{size: 51, batch: 4}, {size: [1, 63, 63], batch: 2}]
            set: {network.widths: [8, 16, 32], loss.pooling: batch}
          wide: {name: deepmedic, patches: [{size: 51, batch: 6}]}
        learning_rates: [1.0e-3, 0.00025]
        losses: [wce, {label: gdl+wce, name: gdl, set: {loss.add: {wce: 0.5}, loss.pooling: image}}]

        """

    @Test func everyCombinationIsACell() throws {
        let sweep = try SweepConfiguration(yaml: Self.yaml, folder: "/data")
        #expect(
            sweep.cells.map(\.name) == [
                "highres3dnet-p51-b4-lr1e-3-wce", "highres3dnet-p51-b4-lr1e-3-gdl+wce",
                "highres3dnet-p51-b4-lr2.5e-4-wce", "highres3dnet-p51-b4-lr2.5e-4-gdl+wce",
                "highres3dnet-p1x63x63-b2-lr1e-3-wce", "highres3dnet-p1x63x63-b2-lr1e-3-gdl+wce",
                "highres3dnet-p1x63x63-b2-lr2.5e-4-wce", "highres3dnet-p1x63x63-b2-lr2.5e-4-gdl+wce",
                "wide-p51-b6-lr1e-3-wce", "wide-p51-b6-lr1e-3-gdl+wce", "wide-p51-b6-lr2.5e-4-wce",
                "wide-p51-b6-lr2.5e-4-gdl+wce",
            ])
        let flat = sweep.cells[7].configuration
        #expect(flat.steps == 7 && flat.data.list == "/data/subjects.csv")
        #expect(flat.network.name == .highres3dnet && flat.network.widths == [8, 16, 32])
        #expect(flat.patch.size == [1, 63, 63] && flat.batch == 2)
        #expect(flat.optimizer.learningRate == 0.00025)
        #expect(flat.loss.name == .gdl && flat.loss.add == [.wce: 0.5])
        // A loss's changes go before a network's.
        #expect(flat.loss.pooling == .image && sweep.cells[6].configuration.loss.pooling == .batch)
        let wide = sweep.cells[8].configuration
        #expect(wide.network.name == .deepmedic && wide.network.widths == nil && wide.batch == 6)
        #expect(sweep.cells[8].network == "wide" && sweep.cells[9].loss == "gdl+wce")
        #expect(sweep.ranksPerRun == nil && sweep.last == 200)
    }

    @Test func whatIsNotGivenIsThePapers() throws {
        let sweep = try SweepConfiguration(
            yaml: """
                run: {data: {list: a.csv}}
                networks: {deepmedic: {patches: [{size: 51, batch: 5}]}}
                """, overrides: ["run.steps=9", "ranks_per_run=2", "last=20"])
        #expect(Set(sweep.cells.map(\.learningRate)) == [1e-3, 1e-4, 1e-5])
        #expect(sweep.cells.prefix(4).map(\.loss) == ["wce", "dl2", "ss", "gdl"])
        #expect(sweep.cells.count == 12 && sweep.cells[0].configuration.steps == 9)
        #expect(sweep.last == 20 && sweep.ranksPerRun == 2)
        #expect(try sweep.groupSize(of: 6) == 2)
        let error = try #require(throws: SweepError.self) { try sweep.groupSize(of: 9) }
        #expect(
            error.description
                == "9 ranks cannot be divided into groups of 2 (ranks_per_run); groups can have 1, 3, 9.")
    }

    @Test(
        arguments: [
            ("runs: {}", "sweep:1: unknown key 'runs', the nearest known key is 'run'."),
            (
                "networks: {highresnet: {patches: [{size: 51, batch: 1}]}}",
                "'highresnet', expected one of highres3dnet"
            ),
            ("networks: {deepmedic: {patch: []}}", "the key 'networks.deepmedic.patches' is missing"),
            (
                "networks: {deepmedic: {patches: [{size: 51}]}}",
                "the key 'networks.deepmedic.patches.batch' is missing"
            ),
            (
                "networks: {deepmedic: {patches: [{size: 51, batch: 0}]}}",
                "networks.deepmedic.patches.batch is '0', expected a whole number from 1 to 65536"
            ),
            (
                "networks: {deepmedic: {patches: [{size: 51, batch: 1}], sets: {}}}",
                "unknown key 'networks.deepmedic.sets', the nearest known key is 'networks.deepmedic.set'"
            ),
            ("networks: {a/b: {name: deepmedic, patches: [{size: 51, batch: 1}]}}", "networks is 'a/b'"),
            ("networks: {}", "networks is a mapping, expected a mapping of networks"),
            ("learning_rates: [1.0e-3, fast]", "learning_rates is a list with 'fast'"),
            ("learning_rates: [0.1, 1.0e-1]", "learning_rates is a list with '1.0e-1'"),
            ("losses: [dice]", "losses is a list with 'dice', expected a list of losses out of gdl, wce"),
            ("losses: [{label: a}]", "the key 'losses.name' is missing"),
            ("losses: [gdl, {name: gdl}]", "found a sweep with two cells"),
            ("losses: [{name: gdl, set: {loss.weight: simple}}]", "unknown key 'run.loss.weight'"),
            (
                "losses: [{name: gdl, set: {batch: 3}}]",
                "'losses.set.batch' applies only to runs by themselves"
            ),
            (
                "run: {batch: 3}",
                "'run.batch' applies only to runs by themselves: a sweep takes it from networks"
            ),
            ("run: {data: {list: a}, patch: {size: 3}}", "'run.patch.size' applies only to"),
            (
                "run: {data: {list: a}, step: 3}",
                "unknown key 'run.step', the nearest known key is 'run.steps'"
            ),
            ("run: {steps: 3}", "the key 'run.data.list' is missing"),
            ("ranks_per_run: 0", "ranks_per_run is '0', expected all or a whole number from 1 to 65536"),
            ("figure: {network: unet}", "figure is a mapping with network 'unet', expected one of deepmedic"),
            ("figure: {patch: 50}", "expected one of 51, the patches of deepmedic"),
            ("figure: {learning_rate: 0.5}", "expected one of 1e-3, 1e-4, 1e-5"),
            ("figure: {learning_rate: low}", "figure.learning_rate is 'low', expected auto or a number"),
        ])
    func aMistakeIsNamed(change: String, expected: String) throws {
        var lines = [
            "run": "{data: {list: a.csv}}", "networks": "{deepmedic: {patches: [{size: 51, batch: 5}]}}",
        ]
        let parts = change.split(separator: ":", maxSplits: 1).map(String.init)
        lines[parts[0]] = parts[1]
        let yaml = lines.sorted { $0.key == parts[0] || ($1.key != parts[0] && $0.key < $1.key) }
            .map { "\($0.key): \($0.value)" }.joined(separator: "\n")
        let error = try #require(throws: ConfigurationError.self) { try SweepConfiguration(yaml: yaml) }
        let sentence = expected.replacingOccurrences(of: "found ", with: "")
        #expect(error.description.contains(sentence), "\(error)")
        #expect(error.description.hasSuffix("."))
    }

    @Test(arguments: [
        (
            "steps: 3\ndata: {list: a.csv}",
            "sweep.yaml: this is the configuration of a single run, as its key 'data' tells: train it with dicerank "
                + "train, or put it under 'run' beside 'networks' for a sweep."
        ),
        (
            "networks: {deepmedic: {patches: [{size: 51, batch: 1}]}}\nsteps: 3",
            "sweep.yaml:2: unknown key 'steps', the nearest known key is 'run.steps'."
        ),
        ("seed: 3", "sweep.yaml: the key 'networks' is missing, it has no default."),
    ])
    func aRunIsNoSweep(yaml: String, sentence: String) throws {
        let error = try #require(throws: ConfigurationError.self) {
            try SweepConfiguration(yaml: yaml, name: "sweep.yaml")
        }
        #expect(error.description == sentence)
    }

    @Test func theFigureShowsTheLargestPatchAndTheMiddleRate() throws {
        let yaml = """
            run: {data: {list: a.csv}}
            networks:
              deepmedic: {patches: [{size: [1, 51, 51], batch: 5}]}
              highres3dnet: {patches: [{size: 51, batch: 5}, {size: 85, batch: 1}, {size: 63, batch: 3}]}
            """
        func names(_ overrides: [String]) throws -> [String] {
            try SweepConfiguration(yaml: yaml, overrides: overrides).figureCells.map(\.name)
        }
        #expect(
            try names(["losses=[ss, gdl]"]) == [
                "highres3dnet-p85-b1-lr1e-4-ss", "highres3dnet-p85-b1-lr1e-4-gdl",
            ])
        #expect(
            try names(["losses=[gdl]", "learning_rates=[0.01, 0.1]", "figure.patch=63"])
                == ["highres3dnet-p63-b3-lr1e-2-gdl"])
        #expect(
            try names(["losses=[gdl]", "figure.network=deepmedic", "figure.learning_rate=1.0e-5"])
                == ["deepmedic-p1x51x51-b5-lr1e-5-gdl"])
    }

    @Test func aPathOfAnOptionStartsAtTheCurrentFolder() throws {
        let sweep = try SweepConfiguration(
            yaml: Self.yaml, folder: "/studies",
            overrides: ["run.data.list=x.csv", "losses=[{name: gdl, set: {data.list: y.csv}}, wce]"])
        let lists = Set(sweep.cells.map { String($0.loss + " " + $0.configuration.data.list) })
        let here = FileManager.default.currentDirectoryPath
        #expect(lists == ["gdl \(here)/y.csv", "wce \(here)/x.csv"])
    }

    @Test func aFolderIsNoConfiguration() throws {
        try withTemporaryFolder { folder in
            #expect(throws: ConfigurationError.self) { try SweepConfiguration(contentsOf: folder) }
        }
    }

    @Test func aKeyThatIsGoneIsNamedOnceForAllCells() throws {
        var warnings: [String] = []
        let yaml = Self.yaml.replacing("  steps: 7\n", with: "  steps: 7\n  precision: float32\n")
        let sweep = try SweepConfiguration(yaml: yaml, name: "s.yaml") { warnings.append($0) }
        #expect(sweep.cells.count > 1)
        #expect(
            warnings == [
                "s.yaml:3: the key 'run.precision' has no effect any more, since there is only float32: remove it."
            ])
    }

    @Test func costIsDealtEvenly() {
        #expect(SweepShares.deal([1, 5, 2, 4], groups: 2) == [[0, 1], [2, 3]])
        #expect(SweepShares.deal([0, 0, 0], groups: 2) == [[0, 2], [1]])
        #expect(SweepShares.deal([3], groups: 2) == [[0], []])
        var clock = SweepClock()
        #expect(clock.estimate(cost: 5) == nil)
        clock.note(cost: 2, seconds: 10)
        clock.note(cost: 1, seconds: 2)
        #expect(clock.estimate(cost: 5) == 20)
    }

    @Test func costFollowsThePatchAndTheBatch() throws {
        let sweep = try SweepConfiguration(yaml: Self.yaml)
        let one = try SweepConfiguration(yaml: Self.yaml, overrides: ["run.steps=14"])
        #expect(sweep.cells[0].cost > 0 && one.cells[0].cost == 2 * sweep.cells[0].cost)
        #expect(sweep.cells[0].cost > sweep.cells[4].cost)
        #expect(try sweep.cells[4].configuration.effectivePatch() == [1, 27, 27])
    }
}
