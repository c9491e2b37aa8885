import Configuration

extension SweepConfiguration {
    /// Keys of a run that differ from cell to cell, with where the sweep has them.
    private static let varied = [
        "patch.size": "networks.NAME.patches", "batch": "networks.NAME.patches",
        "network.name": "networks", "loss.name": "losses", "optimizer.learning_rate": "learning_rates",
    ]

    /// Runs of one sweep.
    private static let mostCells = 10_000

    /// A network with what of the run it changes.
    private struct NetworkSetting {
        let label: String
        let name: String
        var patches: [Patch] = []
        let changes: [Change]
    }

    private struct Patch {
        var size = [0, 0, 0]
        var batch = 0
        let origin: String
    }

    /// A loss with what of the run it changes.
    private struct LossSetting {
        var label: String
        var name: String
        var changes: [Change] = []
        let origin: String
    }

    /// A key of the run with a new value.
    private struct Change {
        let keys: [String]
        let value: ConfigurationNode
    }

    /// Refuses a run's configuration where a sweep is expected.
    private static func refuseRun(_ root: ConfigurationNode) throws(ConfigurationError) {
        guard root.firstKey(of: ["networks", "run", "learning_rates", "losses"]) == nil,
            let key = root.firstKey(of: ["data", "patch", "network", "loss", "optimizer", "steps"])
        else { return }
        throw ConfigurationError(
            origin: root.origin,
            fault: .otherKind(
                "the configuration of a single run", key: key,
                advice: "train it with dicerank train, or put it under 'run' beside 'networks' for a sweep"))
    }

    mutating func read(
        _ root: ConfigurationNode, folder: String?, warn: (String) -> Void
    ) throws(ConfigurationError) {
        try Self.refuseRun(root)
        var keys = try KeyVisitor(root, path: "")
        keys.mayMean(RunConfiguration(list: "").values.map { "run." + $0.key })
        try keys.automatic("ranks_per_run", &ranksPerRun, 1...65536, word: "all")
        try keys.integer("last", &last, 1...1_000_000_000)
        let run = keys.node("run") ?? ConfigurationNode(value: .mapping([]), origin: root.origin)
        let networks = try Self.networks(&keys)
        let rates = try Self.learningRates(&keys)
        let losses = try Self.losses(&keys)
        try keys.section("figure", &figure)
        try keys.finish()
        try Self.refuseVaried(run)
        let count = networks.reduce(0) { $0 + $1.patches.count } * rates.count * losses.count
        guard count <= Self.mostCells else {
            throw keys.failure(
                "networks", found: "\(count) combinations with learning rates and losses",
                expected: "at most \(Self.mostCells) of them")
        }
        // Cells have most of their keys from the same lines.
        var warnings: [String] = []
        func note(_ sentence: String) { if !warnings.contains(sentence) { warnings.append(sentence) } }
        for network in networks {
            for patch in network.patches {
                for rate in rates {
                    for loss in losses {
                        cells.append(
                            try Self.cell(
                                network, patch, rate, loss, run: run, folder: folder, warn: note))
                    }
                }
            }
        }
        var names: Set<String> = []
        for cell in cells where !names.insert(cell.name).inserted {
            throw keys.failure(
                "networks", found: "a sweep with two cells \(cell.name)",
                expected: "combinations that differ in network, patch, learning rate or loss")
        }
        try checkFigure(rates: rates.map(\.value), at: &keys)
        warnings.forEach(warn)
    }

    private static func cell(
        _ network: NetworkSetting, _ patch: Patch, _ rate: (value: Double, origin: String),
        _ loss: LossSetting,
        run: ConfigurationNode, folder: String?, warn: (String) -> Void
    ) throws(ConfigurationError) -> SweepCell {
        func number(_ value: Int) -> ConfigurationNode {
            ConfigurationNode(value: .scalar("\(value)", quoted: false), origin: patch.origin)
        }
        func text(_ text: String, _ origin: String) -> ConfigurationNode {
            ConfigurationNode(value: .scalar(text, quoted: false), origin: origin)
        }
        var root = run
        for change in network.changes + loss.changes {
            try root.set(change.value, at: change.keys[...], path: "run")
        }
        let own: [(String, ConfigurationNode)] = [
            ("network.name", text(network.name, run.origin)), ("loss.name", text(loss.name, loss.origin)),
            ("batch", number(patch.batch)),
            (
                "patch.size",
                ConfigurationNode(value: .list(patch.size.map(number)), origin: patch.origin)
            ),
            ("optimizer.learning_rate", text("\(rate.value)", rate.origin)),
        ]
        for (key, value) in own {
            try root.set(value, at: key.split(separator: ".").map(String.init)[...], path: "run")
        }
        return SweepCell(
            network: network.label, loss: loss.label,
            configuration: try RunConfiguration(root, path: "run", folder: folder, warn: warn))
    }

    // MARK: Axes

    private static func networks(_ keys: inout KeyVisitor) throws(ConfigurationError) -> [NetworkSetting] {
        let expected =
            "a mapping of networks to their patches, such as {highres3dnet: {patches: [{size: 51, batch: 5}]}}"
        guard let node = keys.node("networks") else { throw keys.missing("networks") }
        guard case .mapping(let entries) = node.value, !entries.isEmpty else {
            throw keys.failure("networks", found: node.shown, expected: expected)
        }
        var settings: [NetworkSetting] = []
        for entry in entries {
            let label = try label(entry.key, keys.fullName("networks"), entry.origin)
            var inner = try KeyVisitor(entry.value, path: "networks.\(label)")
            let name = try networkName(label, &inner, entry.origin)
            let patches = try patches(&inner)
            settings.append(
                NetworkSetting(label: label, name: name, patches: patches, changes: try changes(&inner)))
            try inner.finish()
        }
        return settings
    }

    /// The network's own name, by default its label.
    private static func networkName(
        _ label: String, _ keys: inout KeyVisitor, _ origin: String
    ) throws(ConfigurationError) -> String {
        typealias Name = RunConfiguration.Network.Name
        var name = Name(rawValue: label) ?? .highres3dnet
        let isNamed = keys.has("name")
        try keys.choice("name", &name)
        guard isNamed || Name(rawValue: label) != nil else {
            throw ConfigurationError(
                origin: origin,
                fault: .badValue(
                    key: "networks", found: "a mapping with the key '\(label)'",
                    expected:
                        "one of \(Name.names.joined(separator: ", ")), or a label with its network as the key 'name'"
                ))
        }
        return name.rawValue
    }

    private static func patches(_ keys: inout KeyVisitor) throws(ConfigurationError) -> [Patch] {
        let expected = "a list of patches, such as [{size: 51, batch: 5}]"
        guard let node = keys.node("patches") else { throw keys.missing("patches") }
        guard case .list(let items) = node.value, !items.isEmpty else {
            throw keys.failure("patches", found: node.shown, expected: expected)
        }
        var patches: [Patch] = []
        for item in items {
            guard case .mapping = item.value else {
                throw keys.failure("patches", found: "a list with \(item.shown)", expected: expected)
            }
            var inner = try KeyVisitor(item, path: keys.fullName("patches"))
            var patch = Patch(origin: item.origin)
            for key in ["size", "batch"] where !inner.has(key) { throw inner.missing(key) }
            try inner.lengths("size", &patch.size, 1...1024)
            try inner.integer("batch", &patch.batch, 1...65536)
            try inner.finish()
            patches.append(patch)
        }
        return patches
    }

    /// Those of the paper where none are given.
    private static func learningRates(
        _ keys: inout KeyVisitor
    ) throws(ConfigurationError) -> [(value: Double, origin: String)] {
        let expected = "a list of different numbers above 0, at most 1000, such as [1.0e-3, 1.0e-4]"
        guard let node = keys.node("learning_rates") else {
            return [1e-3, 1e-4, 1e-5].map { ($0, keys.origin) }
        }
        guard case .list(let items) = node.value, !items.isEmpty else {
            throw keys.failure("learning_rates", found: node.shown, expected: expected)
        }
        var rates: [(value: Double, origin: String)] = []
        for item in items {
            guard case .scalar(let text, _) = item.value, let value = Double(text), value.isFinite,
                0 < value && value <= 1000, !rates.contains(where: { $0.value == value })
            else {
                throw keys.failure("learning_rates", found: "a list with \(item.shown)", expected: expected)
            }
            rates.append((value, item.origin))
        }
        return rates
    }

    /// The paper's four where none are given.
    private static func losses(_ keys: inout KeyVisitor) throws(ConfigurationError) -> [LossSetting] {
        typealias Name = RunConfiguration.Loss.Name
        let expected =
            "a list of losses out of \(Name.names.joined(separator: ", ")), or variants such as "
            + "{label: gdl+wce, name: gdl, set: {loss.add: {wce: 0.5}}}"
        guard let node = keys.node("losses") else {
            return ["wce", "dl2", "ss", "gdl"].map { LossSetting(label: $0, name: $0, origin: keys.origin) }
        }
        guard case .list(let items) = node.value, !items.isEmpty else {
            throw keys.failure("losses", found: node.shown, expected: expected)
        }
        var losses: [LossSetting] = []
        for item in items {
            switch item.value {
            case .scalar(let text, _):
                guard Name(rawValue: text) != nil else {
                    throw keys.failure("losses", found: "a list with \(item.shown)", expected: expected)
                }
                losses.append(LossSetting(label: text, name: text, origin: item.origin))
            case .mapping:
                var inner = try KeyVisitor(item, path: "losses")
                guard inner.has("name") else { throw inner.missing("name") }
                var name = Name.gdl
                try inner.choice("name", &name)
                var text = name.rawValue
                try inner.text("label", &text)
                losses.append(
                    LossSetting(
                        label: try label(text, "losses.label", item.origin), name: name.rawValue,
                        changes: try changes(&inner), origin: item.origin))
                try inner.finish()
            case .list:
                throw keys.failure("losses", found: "a list with \(item.shown)", expected: expected)
            }
        }
        return losses
    }

    // MARK: Helpers

    /// The keys of `set`.
    private static func changes(_ keys: inout KeyVisitor) throws(ConfigurationError) -> [Change] {
        let expected = "a mapping of a run's keys to values, such as {loss.weights: simple}"
        guard let node = keys.node("set") else { return [] }
        guard case .mapping(let entries) = node.value else {
            throw keys.failure("set", found: node.shown, expected: expected)
        }
        var changes: [Change] = []
        for entry in entries {
            let parts = entry.key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard parts.allSatisfy({ !$0.isEmpty }) else {
                throw keys.failure(
                    "set", found: "a mapping with the key '\(entry.key)'", expected: expected)
            }
            if let place = varied[entry.key] {
                throw ConfigurationError(
                    origin: entry.origin,
                    fault: .inapplicableKey(
                        "\(keys.fullName("set")).\(entry.key)",
                        appliesTo: "runs by themselves: a sweep takes it from \(place)"))
            }
            changes.append(Change(keys: parts, value: entry.value))
        }
        return changes
    }

    private static func refuseVaried(_ run: ConfigurationNode) throws(ConfigurationError) {
        for (key, place) in varied.sorted(by: { $0.key < $1.key }) {
            guard let origin = run.origin(of: key.split(separator: ".").map(String.init)[...]) else {
                continue
            }
            throw ConfigurationError(
                origin: origin,
                fault: .inapplicableKey(
                    "run.\(key)", appliesTo: "runs by themselves: a sweep takes it from \(place)"))
        }
    }

    /// A part of folders' names.
    private static func label(
        _ text: String, _ key: String, _ origin: String
    ) throws(ConfigurationError) -> String {
        let isPlain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-_.".contains($0)) }
        guard isPlain, let first = text.first, first != ".", first != "-" else {
            throw ConfigurationError(
                origin: origin,
                fault: .badValue(
                    key: key, found: "'\(text)'",
                    expected: "a label of letters, digits and + - _ . for the names of folders"))
        }
        return text
    }
}
