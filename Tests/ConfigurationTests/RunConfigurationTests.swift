import Engine
import Foundation
import Geometry
import Sampling
import TestSupport
import Testing

@testable import Configuration

@Suite struct RunConfigurationTests {
    static let example = """
        seed: 7
        steps: 40
        data:
          list: subjects.csv
          modalities: [flair, t1]
          merge_labels: {1: [1, 2, 4]}
        patch: {size: 27, sampler: balanced}
        batch: 2
        optimizer: {name: adam, learning_rate: 1.0e-3}
        """

    @Test func readsKeysAndKeepsDefaults() throws {
        let configuration = try RunConfiguration(yaml: Self.example, folder: "/studies/wmh")
        #expect(configuration.seed == 7)
        #expect(configuration.steps == 40)
        #expect(configuration.data.list == "/studies/wmh/subjects.csv")
        #expect(configuration.data.modalities == ["flair", "t1"])
        #expect(try configuration.data.mergeLabels == LabelMerging([1: [1, 2, 4]]))
        #expect(configuration.patch.size == [27, 27, 27])
        #expect(configuration.patch.sampler == .balanced)
        #expect(configuration.optimizer.learningRate == 1e-3)
        #expect(configuration.optimizer.beta2 == 0.999)
        #expect(configuration.batch == 2 && configuration.accumulate == 1)
        #expect(configuration.threads == nil)
        #expect(configuration.checkpoint.keep == 3)
        #expect(configuration.distributed.timeout == 300)
    }

    @Test(arguments: [
        example, "data: {list: /a/b.csv}",
        """
        data: {list: 'with space: #é.csv', mask: wm, normalise: none, modalities: ['1', 'true', "a,b"]}
        patch: {size: [9, 51, 7]}
        network: {batch_norm: rank, logits: batch_norm, widths: [8, 8, 16], hidden: 4}
        optimizer: {name: sgd, learning_rate: 0.00001, momentum: 0.5}
        threads: 3
        accumulate: 4096
        distributed: {wire: bfloat16, bucket_mib: 0.25, timeout: 60}
        log: {tensorboard: false, every: 10}
        """,
        "data: {list: a.csv, classes: 3, merge_labels: {2: [38, 37], 0: others, 1: [1]}}",
        "data: {list: a.csv, merge_labels: {1: others}}",
        "data: {list: a.csv}\nloss: {name: wce, pooling: batch, add: {ss: 0.5, gdl: 2}, weights: simple, lambda: 0.1}",
    ])
    func resolvedTextReadsBackToTheSame(yaml: String) throws {
        let configuration = try RunConfiguration(yaml: yaml)
        let again = try RunConfiguration(yaml: configuration.yaml)
        #expect(again == configuration)
        #expect(again.yaml == configuration.yaml)
        #expect(configuration.differences(from: again).isEmpty)
    }

    @Test func resolvedTextNamesEveryKey() throws {
        let yaml = RunConfiguration(list: "a.csv").yaml
        #expect(yaml.hasPrefix("seed: 1\nsteps: 3000\ndata:\n  list: a.csv\n  modalities: []\n"))
        #expect(yaml.contains("optimizer:\n  name: adam\n  learning_rate: 0.0001\n"))
        #expect(yaml.contains("  epsilon: 1.0e-08\n"))
        #expect(yaml.contains("  bucket_mib: auto\n"))
        #expect(yaml.hasSuffix("log:\n  every: 1\n  tensorboard: true\n"))
    }

    @Test func differencesTellConfigurationsApart() {
        var other = RunConfiguration(list: "a.csv")
        other.optimizer.learningRate = 1e-3
        #expect(
            other.differences(from: RunConfiguration(list: "a.csv")) == [
                .init(key: "optimizer.learning_rate", value: "0.001", other: "0.0001")
            ])
    }

    @Test(arguments: [
        (
            "data: {list: a.csv}\n\noptimizer:\n  learning_rat: 0.1",
            "run.yaml:4: unknown key 'optimizer.learning_rat', the nearest known key is 'optimizer.learning_rate'."
        ),
        (
            "learning_rate: 0.1",
            "run.yaml:1: unknown key 'learning_rate', the nearest known key is 'optimizer.learning_rate'."
        ),
        ("stpes: 3", "run.yaml:1: unknown key 'stpes', the nearest known key is 'steps'."),
        (
            "optimizer: {lr: 0.1}",
            "run.yaml:1: unknown key 'optimizer.lr', the nearest known key is 'optimizer.learning_rate'."
        ),
        ("lr: 0.1", "run.yaml:1: unknown key 'lr', the nearest known key is 'optimizer.learning_rate'."),
        ("bs: 4", "run.yaml:1: unknown key 'bs', the nearest known key is 'batch'."),
        ("batch_size: 4", "run.yaml:1: unknown key 'batch_size', the nearest known key is 'batch'."),
        ("epochs: 4", "run.yaml:1: unknown key 'epochs', the nearest known key is 'steps'."),
        ("patch_size: 4", "run.yaml:1: unknown key 'patch_size', the nearest known key is 'patch.size'."),
        ("model: unet", "run.yaml:1: unknown key 'model', the nearest known key is 'network'."),
        (
            "log: {xyzzy: 4}",
            "run.yaml:1: unknown key 'log.xyzzy', known here are 'log.every', 'log.tensorboard'."
        ),
        (
            "seed: 1\nnetworks: {deepmedic: {patches: [{size: 51, batch: 1}]}}",
            "run.yaml: this is a sweep's configuration, as its key 'networks' tells: run it with dicerank sweep, or give "
                + "the configuration of a single run."
        ),
        ("steps: 0", "run.yaml:1: steps is '0', expected a whole number from 1 to 1000000000."),
        ("\nsteps: many", "run.yaml:2: steps is 'many', expected a whole number from 1 to 1000000000."),
        ("steps: 1.5", "run.yaml:1: steps is '1.5', expected a whole number from 1 to 1000000000."),
        ("steps: [1]", "run.yaml:1: steps is a list of 1, expected a whole number from 1 to 1000000000."),
        ("data: 3", "run.yaml:1: data is '3', expected a mapping of keys and values."),
        ("- 3", "run.yaml: the configuration is a list of 1, expected a mapping of keys and values."),
        (
            "patch:\n  size: [3, 4]",
            "run.yaml:2: patch.size is a list of 2, expected a whole number from 1 to 1024, or a list of three "
                + "for depth, height, width."
        ),
        (
            "patch: {sampler: foregound}",
            "run.yaml:1: patch.sampler is 'foregound', expected one of foreground, uniform, balanced."
        ),
        (
            "distributed: {wire: bf16}",
            "run.yaml:1: distributed.wire is 'bf16', expected one of float32, bfloat16."
        ),
        (
            "distributed:\n  reduction: deterministic\n  wire: bfloat16",
            "run.yaml:3: distributed.wire is 'bfloat16' with reduction 'deterministic', expected float32: what "
                + "rounding takes away depends on the number of ranks."
        ),
        (
            "optimizer: {learning_rate: -0.1}",
            "run.yaml:1: optimizer.learning_rate is '-0.1', expected a number above 0, at most 1000."
        ),
        (
            "optimizer: {beta1: nan}",
            "run.yaml:1: optimizer.beta1 is 'nan', expected a number from 0 to below 1."
        ),
        (
            "network: {widths: [8, 0]}",
            "run.yaml:1: network.widths is a list of 2, expected auto or a list of whole numbers from 1 to 4096."
        ),
        ("log: {tensorboard: 1}", "run.yaml:1: log.tensorboard is '1', expected true or false."),
        (
            "data: {classes: 2, merge_labels: {2: others}}",
            "run.yaml:1: data.merge_labels is a mapping to label 2, expected new labels below data.classes, "
                + "which is 2."
        ),
        (
            "data: {merge_labels: {1: others, 0: others}}",
            "run.yaml:1: data.merge_labels is a mapping with 'others' twice, expected a mapping of new label to "
                + "old ones, such as {1: [1, 2, 4]} or {1: [37, 38], 0: others}, labels from 0 to 65535, each old one "
                + "once, and others at most once."
        ),
        (
            "data: {classes: 2, merge_labels: {2: [1]}}",
            "run.yaml:1: data.merge_labels is a mapping to label 2, expected new labels below data.classes, "
                + "which is 2."
        ),
        ("seed: 1", "run.yaml: the key 'data.list' is missing, it has no default."),
        ("", "run.yaml: the key 'data.list' is missing, it has no default."),
        ("seed: 1\nseed: 2", "run.yaml:1: the mapping that begins here has more than once the key 'seed'."),
        ("loss: {lambda: 2}", "run.yaml:1: loss.lambda is '2', expected a number from 0 to 1."),
        (
            "loss: {add: {wce: 0}}",
            "run.yaml:1: loss.add is wce: '0', expected a mapping of gdl, wce, dl2, ss to numbers above 0, such as "
                + "{ss: 0.5}."
        ),
        (
            "loss: {add: {dice: 1}}",
            "run.yaml:1: loss.add is a mapping with the key 'dice', expected a mapping of gdl, wce, dl2, ss to numbers "
                + "above 0, such as {ss: 0.5}."
        ),
        (
            "optimizer: {name: adam, momentum: 0.9}",
            "run.yaml:1: 'optimizer.momentum' applies only to optimizer.name: sgd."
        ),
    ])
    func namesWhatIsWrong(yaml: String, sentence: String) {
        #expect(throws: ConfigurationError.self) { try RunConfiguration(yaml: yaml, name: "run.yaml") }
        do {
            _ = try RunConfiguration(yaml: yaml, name: "run.yaml")
        } catch {
            #expect(error.description == sentence)
        }
    }

    @Test func aKeyThatIsGoneIsReadWithItsOnlyValue() throws {
        let plain = "data: {list: a.csv}\n"
        var warnings: [String] = []
        let read = try RunConfiguration(yaml: plain + "precision: float32\n", name: "run.yaml") {
            warnings.append($0)
        }
        #expect(try read == RunConfiguration(yaml: plain))
        #expect(!read.yaml.contains("precision"))
        #expect(
            warnings == [
                "run.yaml:2: the key 'precision' has no effect any more, since there is only float32: remove it."
            ])
        let error = #expect(throws: ConfigurationError.self) {
            try RunConfiguration(yaml: plain, overrides: ["precision=bfloat16"])
        }
        #expect(
            error?.description
                == "--set precision=bfloat16: precision is 'bfloat16', expected float32, which is all that there is: "
                + "remove the key.")
    }

    @Test func optionsOverrideTheFileInOrder() throws {
        let configuration = try RunConfiguration(
            yaml: Self.example, folder: "/studies",
            overrides: [
                "steps=50", "steps=60", "optimizer.name=sgd", "data.merge_labels={1: [3]}",
                "data.modalities=[t2]",
                "threads=2", "data.list=other.csv", "log.tensorboard=false",
            ])
        #expect(configuration.steps == 60)
        #expect(configuration.optimizer.name == .sgd)
        #expect(try configuration.data.mergeLabels == LabelMerging([1: [3]]))
        #expect(configuration.data.modalities == ["t2"])
        #expect(configuration.threads == 2)
        // Paths on a command line start where it is given.
        #expect(configuration.data.list == FileManager.default.currentDirectoryPath + "/other.csv")
        #expect(!configuration.log.tensorboard)
    }

    @Test(arguments: [
        ("batch=0", "--set batch=0: batch is '0', expected a whole number from 1 to 65536."),
        (
            "loss.wieghts=simple",
            "--set loss.wieghts=simple: unknown key 'loss.wieghts', the nearest known key is 'loss.weights'."
        ),
        ("batch", "--set batch: expected --set key.sub=value, such as --set optimizer.learning_rate=0.001."),
        ("=3", "--set =3: expected --set key.sub=value, such as --set optimizer.learning_rate=0.001."),
        (
            "batch.size=3",
            "--set batch.size=3: batch is '2', expected a mapping that can hold 'batch.size'."
        ),
    ])
    func namesTheOption(option: String, sentence: String) {
        do {
            _ = try RunConfiguration(yaml: Self.example, overrides: [option])
            Issue.record("accepted: \(option)")
        } catch {
            #expect(error.description == sentence)
        }
    }

    @Test(arguments: ["data.list=x.csv", "data={list: x.csv}"])
    func aPathOfAnOptionStartsAtTheCurrentFolder(option: String) throws {
        func list(_ options: [String], folder: String? = "/studies") throws -> String {
            try RunConfiguration(yaml: Self.example, folder: folder, overrides: options).data.list
        }
        #expect(try list([option]) == FileManager.default.currentDirectoryPath + "/x.csv")
        #expect(try list(["data.list=/y.csv"]) == "/y.csv")
        #expect(try list(["steps=3"]) == "/studies/subjects.csv")
        #expect(try list([option], folder: nil) == "x.csv")
    }

    @Test func aFolderIsNoConfiguration() throws {
        try withTemporaryFolder { folder in
            func sentence() -> String {
                do {
                    _ = try RunConfiguration(contentsOf: folder)
                    return ""
                } catch {
                    return error.description
                }
            }
            #expect(sentence() == "\(folder): this is a folder, expected a YAML file.")
            try Self.example.write(toFile: folder + "/config.yaml", atomically: false, encoding: .utf8)
            #expect(
                sentence()
                    == "\(folder): this is a folder, expected a YAML file, such as \(folder)/config.yaml.")
        }
    }

    @Test func readsAFileAndNamesAMissingOne() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/config.yaml"
            try Self.example.write(toFile: path, atomically: false, encoding: .utf8)
            let configuration = try RunConfiguration(contentsOf: path)
            #expect(configuration.data.list == folder + "/subjects.csv")
            #expect {
                try RunConfiguration(contentsOf: folder + "/none.yaml")
            } throws: { error in
                "\(error)" == "\(folder)/none.yaml: there is no such configuration file."
            }
        }
    }
}

@Suite struct PatchInputTests {
    private func patch(_ text: String) throws -> RunConfiguration.Patch {
        try RunConfiguration(yaml: "data: {list: a.csv}\npatch: {size: \(text)}").patch
    }

    @Test func oneNumberIsASliceForA2DNetwork() throws {
        #expect(try patch("56").inputSize(planar: true) == Size3(1, 56, 56))
        #expect(try patch("56").inputSize(planar: false) == Size3(56, 56, 56))
        #expect(try patch("[1, 56, 64]").inputSize(planar: true) == Size3(1, 56, 64))
        #expect(try patch("[1, 56, 64]").inputSize(planar: false) == Size3(1, 56, 64))
        #expect(try patch("[2, 56, 64]").inputSize(planar: true) == nil)
        let refusal = DeepPatchError(network: "flat", size: [2, 56, 64])
        #expect(
            "\(refusal)"
                == "patch.size is [2, 56, 64], but the network flat takes slices: expected a depth of 1, or one "
                + "number for height and width.")
    }

    @Test func slicesAreAxialUnlessSaid() throws {
        let plain = try RunConfiguration(yaml: "data: {list: a.csv}")
        #expect(plain.patch.slices == .axial)
        #expect(plain.yaml.contains("  slices: axial\n"))
        for (name, plane) in [("coronal", SlicePlane.coronal), ("sagittal", .sagittal), ("stored", .stored)] {
            let other = try RunConfiguration(yaml: "data: {list: a.csv}\npatch: {slices: \(name)}")
            #expect(other.patch.slices == plane)
        }
        #expect(!RunConfiguration.mayChangeOnResume("patch.slices"))
    }
}
