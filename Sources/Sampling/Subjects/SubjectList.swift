import Foundation
import SystemPackage

/// The data set: a CSV file with a header and a row a subject, `subject,flair,t1,lesion,wm`.
///
/// Columns other than `subject` hold paths, relative to the list's own folder. Columns that a run does not
/// name are ignored.
public struct SubjectList: Sendable {
    /// A row of the list.
    public struct Row: Hashable, Sendable {
        /// The subject's name, unique in the list.
        public let subject: String
        /// The row's line in the file, counted from 1.
        public let line: Int
        /// By column: the path as the list gives it; empty where the cell is.
        public let cells: [String: String]
    }

    public let path: String
    /// The header without `subject`, in the order of the file.
    public let columns: [String]
    public let rows: [Row]

    /// Reads a list.
    ///
    /// - Throws: `SubjectListError`.
    public init(reading path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else {
            if let link = DanglingLink(at: path) { throw link }
            throw SubjectListError.missing(list: path)
        }
        guard !PathKind.isFolder(path) else { throw SubjectListError.folder(list: path) }
        guard let data = FileManager.default.contents(atPath: path),
            let text = String(data: data, encoding: .utf8)
        else { throw SubjectListError.notText(list: path) }
        let table: [CSVTable.Row]
        do {
            table = try CSVTable(parsing: text).rows.filter(\.hasText)
        } catch {
            throw SubjectListError.unclosedQuote(list: path, line: error.line)
        }
        guard let header = table.first else { throw SubjectListError.empty(list: path) }
        self.path = path
        var seen: Set<String> = []
        for name in header.fields where !seen.insert(name).inserted {
            throw SubjectListError.duplicateColumn(list: path, column: name)
        }
        guard let subjectColumn = header.fields.firstIndex(of: "subject") else {
            throw SubjectListError.missingColumn(list: path, column: "subject", columns: header.fields)
        }
        columns = header.fields.filter { $0 != "subject" }
        var lineOfSubject: [String: Int] = [:]
        rows = try table.dropFirst().map { row in
            guard row.fields.count == header.fields.count else {
                throw SubjectListError.fieldCount(
                    list: path, line: row.line, found: row.fields.count, expected: header.fields.count)
            }
            let subject = row.fields[subjectColumn]
            guard !subject.isEmpty else {
                throw SubjectListError.emptyCell(list: path, line: row.line, column: "subject")
            }
            if let fault = SubjectName.fault(of: subject) {
                throw SubjectListError.badName(list: path, line: row.line, subject: subject, fault: fault)
            }
            if let first = lineOfSubject.updateValue(row.line, forKey: subject) {
                throw SubjectListError.duplicateSubject(
                    list: path, subject: subject, lines: [first, row.line])
            }
            let cells = Dictionary(uniqueKeysWithValues: zip(header.fields, row.fields))
            return Row(subject: subject, line: row.line, cells: cells.filter { $0.key != "subject" })
        }
        guard !rows.isEmpty else { throw SubjectListError.empty(list: path) }
    }

    /// The files of every subject that a run needs.
    ///
    /// - Parameters:
    ///   - modalities: columns of the images, in channel order.
    ///   - reference: column of the gold-standard segmentation, if it is needed.
    ///   - mask: column of the mask that intensities are normalised in, if there is one.
    /// - Throws: `SubjectListError` for a column that is missing, with the nearest name, and for an empty
    ///   cell.
    public func files(modalities: [String], reference: String?, mask: String?) throws -> [SubjectFiles] {
        for column in modalities + [reference, mask].compactMap({ $0 }) where !columns.contains(column) {
            throw SubjectListError.missingColumn(list: path, column: column, columns: columns)
        }
        return try rows.map { row in
            func file(_ column: String) throws -> String {
                guard let cell = row.cells[column], !cell.isEmpty else {
                    throw SubjectListError.emptyCell(list: path, line: row.line, column: column)
                }
                return place(cell)
            }
            return SubjectFiles(
                subject: row.subject,
                images: try modalities.map { SubjectFiles.Image(modality: $0, path: try file($0)) },
                reference: try reference.map(file), mask: try mask.map(file))
        }
    }

    /// The list and all files that its cells may name, in whatever column.
    public var paths: [String] { [path] + rows.flatMap { $0.cells.values.map(place) } }

    /// A cell's path, which starts at the list's folder.
    private func place(_ cell: String) -> String {
        FilePath(path).removingLastComponent().pushing(FilePath(cell)).string
    }

    /// Writes a list; paths are taken as they are.
    ///
    /// - Throws: `SubjectListError.notWritten`.
    public static func write(columns: [String], rows: [[String]], to path: String) throws {
        let lines = [["subject"] + columns] + rows
        for line in lines {
            precondition(
                line.count == columns.count + 1, "\(line.count) fields in a list of \(columns.count + 1)")
        }
        let text = CSVTable.text(lines)
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw SubjectListError.notWritten(list: path, reason: error.localizedDescription)
        }
    }
}

/// The files of one subject.
public struct SubjectFiles: Hashable, Sendable {
    public struct Image: Hashable, Sendable {
        public let modality: String
        public let path: String

        public init(modality: String, path: String) {
            self.modality = modality
            self.path = path
        }
    }

    public let subject: String
    /// In channel order.
    public let images: [Image]
    public let reference: String?
    public let mask: String?

    public init(subject: String, images: [Image], reference: String? = nil, mask: String? = nil) {
        precondition(!images.isEmpty, "subject \(subject) without an image")
        self.subject = subject
        self.images = images
        self.reference = reference
        self.mask = mask
    }

    /// Of all files.
    public var paths: [String] { images.map(\.path) + [reference, mask].compactMap { $0 } }
}
