@main
struct Dicerank {
    static func main() { print("dicerank") }
}
