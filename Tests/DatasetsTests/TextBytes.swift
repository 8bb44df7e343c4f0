/// The ids of a text without merges: its bytes.
func bytes(_ text: String) -> [Int] { text.utf8.map(Int.init) }
