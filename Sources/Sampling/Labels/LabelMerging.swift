/// Labels of a file that become one class: `{1: [1, 2, 3, 4]}` turns 1, 2, 3 and 4 into 1, and with `{0:
/// others}` every label that no list names becomes 0.
///
/// Without `others`, a label that no list names keeps its value, and is then checked against the classes like
/// any other. But where a list makes other labels the class of its number, it is refused: it would be one of
/// them without having been asked for. 0 is the background and stays it, unless a list names it.
public struct LabelMerging: Hashable, Sendable {
    /// By class, the labels that become it, ascending.
    public let lists: [Int: [Int]]
    /// The class of all labels that no list names, but 0.
    public let others: Int?
    private let classOfLabel: [Int: Int]

    /// - Parameters:
    ///   - lists: by class, the labels that become it.
    ///   - others: the class of all labels that no list names, but 0.
    /// - Throws: `LabelMergingError` where two classes claim one label.
    public init(_ lists: [Int: [Int]], others: Int? = nil) throws {
        var map: [Int: Int] = [:]
        for (target, labels) in lists.sorted(by: { $0.key < $1.key }) {
            for label in labels {
                if let other = map[label], other != target {
                    throw LabelMergingError(label: label, classes: [other, target])
                }
                map[label] = target
            }
        }
        self.lists = lists.mapValues { $0.sorted() }
        self.others = others
        classOfLabel = map
    }

    /// Leaves every label as it is.
    public init() {
        lists = [:]
        others = nil
        classOfLabel = [:]
    }

    public var isEmpty: Bool { lists.isEmpty && others == nil }

    /// The classes that labels become, ascending.
    public var targets: [Int] { Set(lists.keys).union([others].compactMap { $0 }).sorted() }

    /// What becomes of a label.
    public enum Destination: Hashable, Sendable {
        case `class`(Int)
        /// It stays what it is, which is no class.
        case noClass
        /// No list names it, although these labels become the class of its number.
        case unnamed([Int])
    }

    /// What becomes of a label where classes are `0..<classes`.
    public func destination(of label: Int, classes: Int) -> Destination {
        let target: Int
        if let named = classOfLabel[label] {
            target = named
        } else if label == 0 {
            target = 0
        } else if let others {
            target = others
        } else if let sources = lists[label] {
            return .unnamed(sources)
        } else {
            target = label
        }
        return (0..<classes).contains(target) ? .class(target) : .noClass
    }

    /// `{1: [1, 2, 4]}`.
    static func list(_ target: Int, _ labels: [Int]) -> String {
        "{\(target): [\(labels.map(String.init).joined(separator: ", "))]}"
    }
}

/// One label in the lists of two classes.
public struct LabelMergingError: Error, Hashable, Sendable, CustomStringConvertible {
    public let label: Int
    public let classes: [Int]

    public var description: String {
        "merge_labels gives label \(label) to class \(classes[0]) and to class \(classes[1]); "
            + "a label belongs to one class."
    }
}
