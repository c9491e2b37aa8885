import CZlib
import Foundation
import Testing

@testable import Reporting

@Suite struct DrawingTests {
    @Test func aDrawingIsWrittenAsItIs() {
        var drawing = Drawing(width: 40, height: 20.5)
        drawing.line(Point(0, 1), Point(2.504, 1.0 / 3), "class=\"axis\"")
        drawing.text("a < b", at: Point(3, 4), .middle)
        drawing.circle(Point(1, 1), radius: 2, "fill=\"#000\"", tooltip: "\"one\"")
        drawing.path(
            [[Point(0, 0), Point(1, 0), Point(1, -0.001)], [Point(5, 5)]], closed: true, "fill=\"none\"")
        let expected = """
            <svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" \
            viewBox="0 0 40 20.5" width="40" height="20.5" id="f" class="drawing" role="img" \
            aria-labelledby="f-title f-description">
            <title id="f-title">T</title>
            <desc id="f-description">D &amp; E</desc>
            <line x1="0" y1="1" x2="2.5" y2="0.33" class="axis"/>
            <text x="3" y="4" text-anchor="middle">a &lt; b</text>
            <circle cx="1" cy="1" r="2" fill="#000"><title>&quot;one&quot;</title></circle>
            <path d="M0 0L1 0L1 0Z" fill="none"/>
            </svg>

            """
        #expect(drawing.svg(id: "f", title: "T", description: "D & E", isStandalone: false) == expected)
    }

    @Test func ticksAreRound() {
        #expect(Ticks.round(in: 0...600, atMost: 5) == [0, 200, 400, 600])
        #expect(Ticks.round(in: 0.03...0.97, atMost: 6).map { ($0 * 10).rounded() } == [2, 4, 6, 8])
        #expect(Ticks.texts([0, 0.5, 1]) == ["0.0", "0.5", "1.0"])
        #expect(Ticks.texts([0, 200]) == ["0", "200"])
    }

    @Test func scalesAreLinearOrLogarithmic() {
        let linear = Scale(2...4, from: 100, to: 0)
        #expect(linear(2) == 100 && linear(3) == 50 && linear(4) == 0)
        let logarithmic = Scale(1e-5...1e-3, from: 0, to: 10, isLogarithmic: true)
        #expect(abs(logarithmic(1e-4) - 5) < 1e-12)
        #expect(Scale(3...3, from: 0, to: 10)(3) == 5)
    }

    @Test func numbersReadAsInThePaper() {
        #expect(Display.power(1e-3) == "10⁻³" && Display.power(2.5e-4) == "2.5·10⁻⁴")
        #expect(Display.learningRate(0.0005) == "5e-4" && Display.learningRate(1) == "1e0")
        #expect(Display.size([51, 51, 51]) == "51³" && Display.size([1, 56, 56]) == "56²")
        #expect(Display.size([20, 51, 51]) == "20×51×51")
        #expect(Display.percent(0.02) == "2.0 %" && Display.percent(0.00036) == "0.036 %")
        #expect(Display.percent(0.331) == "33 %" && Display.percent(0) == "0 %")
        #expect(Display.list(["a", "b", "c"]) == "a, b and c")
    }

    @Test(arguments: [(2, 2), (1, 5), (300, 200)])
    func aPictureIsAWholePNG(width: Int, height: Int) throws {
        let pixels = (0..<width * height).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) }
        var rest = PNG.grey(pixels, width: width, height: height)[...]
        func number(_ bytes: some Sequence<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
        #expect(Array(rest.prefix(8)) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        rest.removeFirst(8)
        var chunks: [String: [UInt8]] = [:]
        while !rest.isEmpty {
            let length = number(rest.prefix(4))
            let body = Array(rest.dropFirst(4).prefix(4 + length))
            #expect(number(rest.dropFirst(8 + length).prefix(4)) == Int(crc32(0, body, uInt(body.count))))
            chunks[String(decoding: body.prefix(4), as: UTF8.self)] = Array(body.dropFirst(4))
            rest = rest.dropFirst(12 + length)
        }
        #expect(chunks.keys.sorted() == ["IDAT", "IEND", "IHDR"])
        let header = try #require(chunks["IHDR"])
        #expect(number(header[0..<4]) == width && number(header[4..<8]) == height)
        #expect(header[8...] == [8, 0, 0, 0, 0])
        let stream = try #require(chunks["IDAT"])
        var rows = [UInt8](repeating: 0, count: (width + 1) * height + 1)
        var size = uLong(rows.count)
        #expect(uncompress(&rows, &size, stream, uLong(stream.count)) == Z_OK)
        #expect(Int(size) == (width + 1) * height)
        var decoded: [UInt8] = []
        for row in 0..<height {
            let begin = row * (width + 1)
            #expect(rows[begin] == 2)
            for column in 0..<width {
                let above = row == 0 ? 0 : decoded[(row - 1) * width + column]
                decoded.append(rows[begin + 1 + column] &+ above)
            }
        }
        #expect(decoded == pixels)
    }

    @Test func aPictureIsCompressed() {
        #expect(PNG.grey([UInt8](repeating: 9, count: 300 * 300), width: 300, height: 300).count < 1000)
    }

    @Test func aPixelIsOutlinedByItsSides() {
        let lines = MaskOutline.trace([false, false, false, true], width: 2, height: 2)
        #expect(lines == [[Point(1, 1), Point(2, 1), Point(2, 2), Point(1, 2)]])
        #expect(MaskOutline.trace([false], width: 1, height: 1).isEmpty)
    }

    @Test func straightSidesAreOneLineAndHolesHaveTheirOwn() {
        // A ring of eight pixels.
        let ring = [true, true, true, true, false, true, true, true, true]
        let lines = MaskOutline.trace(ring, width: 3, height: 3)
        #expect(lines.count == 2)
        #expect(lines.contains([Point(0, 0), Point(3, 0), Point(3, 3), Point(0, 3)]))
        #expect(lines.contains { Set($0) == [Point(1, 1), Point(2, 1), Point(2, 2), Point(1, 2)] })
    }

    @Test func pixelsThatTouchAtACornerStayApart() {
        let lines = MaskOutline.trace([true, false, false, true], width: 2, height: 2)
        #expect(lines.map(\.count) == [4, 4])
    }

    @Test func lossesKeepTheirColours() {
        let losses = ["gdl", "gdl+wce", "focal", "wce"]
        let colours = losses.map { Palette.colour(ofLoss: $0, among: losses) }
        #expect(Set(colours).count == 4)
        #expect(colours[0] == Palette.colour(ofLoss: "gdl", among: ["ss", "gdl"]))
        #expect(Palette.sequential(0) == "#440154" && Palette.sequential(1) == "#FDE725")
    }
}
