import Foundation
import FoundationXML
import Sampling
import Testing

@testable import Reporting

@Suite struct ReportTests {
    @Test func theTableOfTheDiceIsLaidOutAsThePapers() throws {
        let table = try #require(DiceTable.make(try Sample.plane(), dimensions: 3))
        // The last 5 of 10 values of steps 0.01: median the eighth, quartiles 0.01 above and below it.
        let expected = """
            **Table 3.** DSC of the training patches over the last 5 steps, median (interquartile range), of networks \
            that take volumes. The best loss of each network in a row is bold; patch sizes are those of Table 1.

            | Patch | LR | HighRes3DNet WCE | HighRes3DNet GDL |
            | --- | --- | ---: | ---: |
            | S | 1e-4 | 0.47 (0.02) | **0.87 (0.02)** |
            | S | 1e-3 | 0.37 (0.02) | **0.77 (0.02)** |
            | L | 1e-4 | 0.27 (0.02) | **0.67 (0.02)** |
            | L | 1e-3 | failed | **0.57 (0.02)** |

            """
        #expect(table.markdown == expected)
        #expect(table.rows[3].cells[0].note == "At step 3 the loss is not finite.")
        #expect(DiceTable.make(try Sample.plane(), dimensions: 2) == nil)
    }

    @Test func slicesHaveTheirOwnTableAndFigure() throws {
        let flat = PatchSetting(size: [1, 56, 56], effective: [1, 16, 16], batch: 5)
        let record = Sample.record([0.5, 0.7], patch: flat)
        let runs = [
            Sample.run("gdl", network: "unet", patch: flat, .finished(record)),
            Sample.run("wce", network: "unet", patch: flat, .unfinished(Sample.record([0.1], steps: 2))),
            Sample.run("gdl", .notRun),
        ]
        let report = RunReport(title: "Both", comparison: try Comparison(runs))
        #expect(report.tables.map(\.number) == ["Table 1", "Table 2", "Table 3"])
        #expect(report.figures.map(\.number) == ["Figure 1", "Figure 2"])
        #expect(report.tables[1].rows.map { $0.cells.map(\.text) } == [["0.60 (0.10)", "unfinished"]])
        #expect(report.tables[2].rows.map { $0.cells.map(\.text) } == [["not run"]])
        #expect(report.tables[0].rows[0].cells.map(\.text) == ["5", "56²", "16²", "2.0 %"])
        #expect(report.missing.map(\.number) == ["Figure 3"])
    }

    /// Runs of 3, 5 and 300 steps, and the steps that are asked for.
    @Test(
        arguments: [
            ([3], 200, "3 steps"), ([3, 3], 200, "3 steps"), ([300, 250], 200, "200 steps"),
            ([1], 200, "step"),
            ([3, 5], 200, "3 to 5 steps (200 steps, or all that a run has)"),
            ([3, 300], 200, "3 to 200 steps (200 steps, or all that a run has)"), ([3, 5], 2, "2 steps"),
            ([3, 5], 1, "step"),
        ] as [([Int], Int, String)])
    func theStepsThatAreSaidAreThoseThatWereTaken(lengths: [Int], last: Int, text: String) throws {
        let runs = lengths.enumerated().map { index, length in
            Sample.run(
                "gdl", rate: pow(10, -Double(index + 1)),
                .finished(Sample.record([Double](repeating: 0.5, count: length))))
        }
        // One that is not done gives no value, and says nothing.
        let started = Sample.run("wce", .unfinished(Sample.record([0.1], steps: 2)))
        let report = RunReport(title: "Steps", comparison: try Comparison(runs + [started], last: last))
        #expect(report.comparison.lastSteps == text)
        #expect(report.tables[1].caption.contains("over the last \(text), median"))
        for figure in report.figures {
            let words = figure.caption.components(separatedBy: "over the last ").dropFirst()
            #expect(!words.isEmpty && words.allSatisfy { $0.hasPrefix(text + ",") }, "\(figure.caption)")
        }
    }

    @Test func dataAndSummariesAreNeverInOneFile() throws {
        let plane = try Sample.plane()
        let runs = try CSVTable(parsing: RunTable.csv(plane)).rows.map { $0.fields[0] }
        #expect(Array(runs.dropFirst()) == plane.runs.map(\.name))
        let heldOut = try CSVTable(parsing: HeldOutTable.csv(plane)).rows.map(\.fields)
        let scored = plane.runs.filter { $0.result != nil }.flatMap { [[$0.name, "s0"], [$0.name, "s1"]] }
        #expect(heldOut.dropFirst().map { [$0[0], $0[7]] } == scored)
    }

    @Test func zeroIsNeverTheBest() throws {
        let runs = ["wce", "gdl"].map { Sample.run($0, .finished(Sample.record([0, 0]))) }
        let table = try #require(DiceTable.make(try Comparison(runs), dimensions: 3))
        #expect(table.rows[0].cells.map(\.isBest) == [false, false])
    }

    @Test func allNumbersOfARunAreInItsRow() throws {
        let lines = try CSVTable(parsing: RunTable.csv(try Sample.plane())).rows.map(\.fields)
        #expect(lines.count == 9 && lines.allSatisfy { $0.count == RunTable.columns.count })
        let row = Dictionary(uniqueKeysWithValues: zip(lines[0], lines[1]))
        #expect(row["network"] == "highres3dnet" && row["patch"] == "51" && row["effective_patch"] == "15")
        #expect(row["status"] == "finished" && row["steps"] == "10" && row["dsc_steps"] == "5")
        #expect(row["learning_rate"] == "1e-4" && row["step_seconds_median"] == "0.5")
        #expect(abs((row["dsc_median"].flatMap(Double.init) ?? 0) - 0.47) < 1e-12)
        // Held out are the first and the last of 0.40 ... 0.49.
        #expect(abs((row["held_out_dsc_mean"].flatMap(Double.init) ?? 0) - 0.445) < 1e-12)
        let failed = Dictionary(uniqueKeysWithValues: zip(lines[0], lines[7]))
        #expect(failed["status"] == "failed" && failed["dsc_median"] == "")
        #expect(failed["reason"] == "At step 3 the loss is not finite.")
    }

    @Test func isolinesHaveAPanelALossAndADotARun() throws {
        let figure = try #require(IsolineFigure.make(try Sample.plane(), dimensions: 3))
        #expect(figure.number == "Figure 2")
        #expect(figure.svg.components(separatedBy: "class=\"node\"").count - 1 == 7)
        #expect(figure.svg.components(separatedBy: "class=\"cross\"").count - 1 == 1)
        for text in [">WCE<", ">GDL<", ">10⁻⁴<", ">10⁻³<", ">15³<", ">49³<", "0.87 (0.02)"] {
            #expect(figure.svg.contains(text), "\(text)")
        }
        // GDL's plane runs from 0.57 to 0.87, with lines at every tenth between.
        #expect(figure.svg.components(separatedBy: "class=\"isoline\"").count - 1 >= 3)
    }

    @Test func withoutAPlaneMediansAreDrawn() throws {
        let one = try Comparison(try Sample.plane().runs.filter { $0.learningRate == 1e-4 }, last: 5)
        let figure = try #require(IsolineFigure.make(one, dimensions: 3))
        #expect(!figure.svg.contains("class=\"isoline\""))
        #expect(figure.svg.components(separatedBy: "<circle").count - 1 == 4)
        #expect(figure.svg.contains("effective patch (learning rate 10⁻⁴)"))
        let single = try Comparison(one.runs.filter { $0.patch == Sample.small }, last: 5)
        let marks = try #require(IsolineFigure.make(single, dimensions: 3))
        #expect(marks.svg.components(separatedBy: "<circle").count - 1 == 2)
    }

    @Test func boxesNameWhatIsLeftOut() throws {
        var runs = try Sample.plane().runs
        runs.append(Sample.run("ss", .finished(Sample.record([0.1, 0.2]))))
        let figure = try #require(BoxPlotFigure.make(try Comparison(runs, last: 5)))
        #expect(figure.caption.contains("2 subjects"))
        #expect(figure.caption.hasSuffix("left out: SS."))
        // Each finished run has two scores, which are in the group of its patch size and in that of its
        // learning rate: four of them together are dots.
        #expect(figure.svg.components(separatedBy: "<circle").count - 1 == 2 * 2 * 7)
        #expect(BoxPlotFigure.make(try Comparison([runs[8]])) == nil)
    }

    @Test func figuresAreWellFormedAndThePageStandsAlone() throws {
        let slice = SliceComparison.Slice(
            width: 12, height: 10, aspect: 1, grey: [UInt8](repeating: 90, count: 120),
            reference: (0..<120).map { $0 == 40 || $0 == 41 },
            predictions: [.init(loss: "gdl", mask: (0..<120).map { $0 == 41 }, dice: 2.0 / 3)])
        let slices = SliceComparison(
            subject: "s<1>", setting: "A setting", modality: "flair", slice: slice)
        let report = RunReport(
            title: "Losses & patches", comparison: try Sample.plane(), facts: [.init("Subjects", "10")],
            slices: .slices(slices))
        let folder = try TemporaryFolder()
        let page = try report.write(to: folder.path + "/report")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/report").sorted()
        #expect(
            files == [
                "curves_dsc_highres3dnet.svg", "curves_loss_highres3dnet.svg", "figure2_isolines_3d.svg",
                "figure3_held_out.svg", "figure4_slices.svg", "held_out.csv", "index.html", "report.md",
                "runs.csv",
            ])
        for file in files where file.hasSuffix(".svg") {
            let data = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/report/" + file))
            #expect(XMLParser(data: data).parse(), "\(file)")
        }
        let html = try String(contentsOfFile: page, encoding: .utf8)
        for text in [
            "<title>Losses &amp; patches</title>", "At step 3 the loss is not finite.", "s&lt;1&gt;",
            "DSC 0.67", "<td>10</td>", "prefers-color-scheme:dark", "data:image/png;base64,",
        ] { #expect(html.contains(text), "\(text)") }
        #expect(!html.contains("<script") && !html.contains("src=\"") && !html.contains("<link"))
        // No identifier twice: labels and clips would point to the wrong one.
        let identifiers = html.matches(of: /\bid="([^"]+)"/).map { String($0.1) }
        #expect(Set(identifiers).count == identifiers.count)
    }
}
