import Testing

@testable import Hub

@Suite struct RepositoryNameTests {
    @Test(
        "names that a hub can have",
        arguments: [
            "gpt2", "org/name", "meta-llama/Llama-3.2-1B", "a/b@main", "a/b@refs/pr/1", "a_b/c.d@v1.0", "a/b@1.0",
        ]
    )
    func good(text: String) { #expect(RepositoryName(text, kind: .model) != nil) }

    @Test(
        "texts that are no names",
        arguments: [
            "", "/", "a/", "/a", "a/b/c", "../a", "./a", "~/a", "a b", "a--b/c", "a..b/c", "a.git", "-a/b", "a-/b",
            "é/b",
            "a/b@", "a/b@..", "a/b@x/../y", "a/b@/x", "a/b@x//y", "a/b@x y", "a/b@-x", "a/b@x\0", "a/b@x.lock",
            "a/" + String(repeating: "b", count: 97),
        ]
    )
    func bad(text: String) { #expect(RepositoryName(text, kind: .model) == nil) }

    @Test("a name, its folder and its text")
    func parts() {
        let name = RepositoryName("org/name@v1", kind: .dataset)
        #expect(name?.id == "org/name" && name?.revision == "v1" && name?.folderName == "datasets--org--name")
        #expect(name?.text == "org/name@v1")
        let plain = RepositoryName("gpt2", kind: .model)
        #expect(plain?.revision == "main" && plain?.folderName == "models--gpt2" && plain?.text == "gpt2")
    }

    @Test(
        "settings that were meant as paths",
        arguments: ["rows.jsonl", "org/rows.json.gz", "x.parquet", "./name", "name/", "/some/name", "deep/er/name"]
    )
    func paths(text: String) { #expect(RepositoryName(setting: text, kind: .dataset) == nil) }
}
