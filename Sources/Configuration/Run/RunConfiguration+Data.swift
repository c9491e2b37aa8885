import Sampling

extension RunConfiguration {
    /// The subjects, what is read of each, and how it is prepared (`data`).
    public struct Data: Sendable, Equatable {
        /// CSV file with a header and a row a subject. Relative paths start at the configuration's folder,
        /// and those of an option of the command line at the current folder. The one key without default.
        public var list = ""
        /// Columns that are the network's input channels, in this order. Default `[]`: all columns but the
        /// subject, the reference and the mask.
        public var modalities: [String] = []
        /// Column of the gold-standard segmentation; default `lesion`.
        public var reference = "lesion"
        /// What the reference's files hold; default `labels`.
        public var referenceKind = ReferenceKind.labels
        /// Classes, background included; 2 to 255, default 2. Labels are 0 to `classes` - 1.
        public var classes = 2
        /// Column of the mask inside which intensities are normalised; default null: the voxels that are not
        /// 0.
        public var mask: String?
        /// How intensities are normalised, each image on its own; default `zscore`.
        public var normalise = IntensityNormalisation.zscore
        /// New label to the labels that become it, `{1: [1, 2, 4]}`, and to `others` for all labels not named
        /// but 0: `{1: [37, 38], 0: others}`. Without `others`, labels not named stay; but one that is the
        /// new label of others and in no list is an error where a file holds it. 0 stays 0 unless it is
        /// named. Default `{}`.
        public var mergeLabels = LabelMerging()
        /// What happens to a subject without foreground when patches must hold some; default `error`.
        public var noForeground = NoForegroundRule.error
        /// Share of subjects kept out of training to score the result on (see ``Evaluate``), 0 to below 1; a
        /// choice by the seed. Default 0.
        public var heldOut = 0.0
    }

    /// How patches are drawn (`patch`).
    public struct Patch: Sendable, Equatable {
        /// Depth, height and width of the network's input in voxels, 1 to 1,024 each; one number stands for
        /// all three, or, for a network of two dimensions, for height and width. Default 51. The effective
        /// size follows from the network.
        public var size = [51, 51, 51]
        /// Of patches that are one voxel deep: the plane in which they lie, by each subject's orientation;
        /// default `axial`.
        public var slices = SlicePlane.axial
        /// Default `foreground`.
        public var sampler = SamplerKind.foreground
    }
}

extension RunConfiguration.Data: ConfigurationSection {
    package mutating func visit(_ keys: inout KeyVisitor) throws(ConfigurationError) {
        try keys.path("list", &list)
        try keys.texts("modalities", &modalities)
        try keys.text("reference", &reference)
        try keys.choice("reference_kind", &referenceKind)
        try keys.integer("classes", &classes, 2...255)
        try keys.optionalText("mask", &mask)
        try keys.choice("normalise", &normalise)
        try keys.labels("merge_labels", &mergeLabels, 0...65535)
        if let target = mergeLabels.targets.first(where: { $0 >= classes }) {
            throw keys.failure(
                "merge_labels", found: "a mapping to label \(target)",
                expected: "new labels below data.classes, which is \(classes)")
        }
        if referenceKind == .probabilities, !mergeLabels.isEmpty {
            throw keys.failure(
                "merge_labels", found: "a mapping",
                expected: "none, since data.reference_kind is probabilities")
        }
        try keys.choice("no_foreground", &noForeground)
        try keys.number("held_out", &heldOut, "a number from 0 to below 1") { 0 <= $0 && $0 < 1 }
        if modalities.contains(reference) {
            throw keys.failure(
                "modalities", found: "[\(modalities.joined(separator: ", "))]",
                expected: "columns other than the reference '\(reference)'")
        }
    }
}

extension RunConfiguration.Patch: ConfigurationSection {
    package mutating func visit(_ keys: inout KeyVisitor) throws(ConfigurationError) {
        try keys.lengths("size", &size, 1...1024)
        try keys.choice("slices", &slices)
        try keys.choice("sampler", &sampler)
    }
}
