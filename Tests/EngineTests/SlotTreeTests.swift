import Engine
import Testing

@Suite struct SlotTreeTests {
    @Test func additionsOfSevenAreABalancedTree() {
        var order: [[Int]] = []
        SlotTree.additions(7) { order.append([$0, $1]) }
        #expect(order == [[1, 2], [0, 1], [3, 4], [5, 6], [3, 5], [0, 3]])
    }
}
