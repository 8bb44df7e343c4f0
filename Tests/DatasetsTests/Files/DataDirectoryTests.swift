import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite("What of a directory is read")
struct DataDirectoryTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func make(_ names: String...) throws {
        for name in names {
            let url = directory.url.appending(path: name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data().write(to: url)
        }
    }

    /// The paths of the files below the directory.
    private func files(_ suffix: String = "") throws -> [String] {
        try DatasetSource(path: directory.url.path + suffix).files().map {
            String($0.path.dropFirst(directory.url.path.count + 1))
        }
    }

    private func problem(_ suffix: String = "") -> DatasetError.Problem? {
        #expect(throws: DatasetError.self) { try files(suffix) }?.problem
    }

    @Test("The name of a split is read off the path as Hugging Face lays data out, and simpler")
    func splits() {
        for (path, split) in [
            ("data/train_prefs-00000-of-00001.parquet", "train_prefs"),
            ("data/train-00001-of-00012-0f2b.parquet", "train"), ("all-00000-of-00002.jsonl.gz", "all"),
            ("train.jsonl", "train"), ("test_prefs.jsonl.zst", "test_prefs"), ("Train-3.json", "Train"),
            ("ultra_train.jsonl", "train"), ("pairs.test.jsonl.gz", "test"), ("my-dev_set-2.json", "dev_set"),
            ("default/train_sft/0000.parquet", "train_sft"), ("validation/b/part-1.json", "validation"),
            ("test/train/a/b.json", "train"), ("train/test.jsonl", "test"), ("part-1.json", nil),
            ("trainer.jsonl", nil), ("latest/0.jsonl", nil), ("2024-01.jsonl", nil),
            ("train_12345678901234567890_a.jsonl", "train_12345678901234567890_a"),
            ("train\(String(repeating: "-1", count: 100)).jsonl", "train"), ("train-1_a-2 3.jsonl", "train-1_a"),
        ] as [(String, String?)] {
            #expect(DataSplit(of: path.split(separator: "/").map(String.init)).name == split, "\(path)")
        }
    }

    @Test("Files of one split, or of none, are read in the order of their paths; what is hidden or describes is not")
    func one() throws {
        try make(
            "b.jsonl",
            "a.json",
            "c.jsonl.gz",
            "README.md",
            "notes/README.md",
            ".hidden.jsonl",
            ".cache/d.jsonl",
            "dataset_infos.json"
        )
        #expect(try files() == ["a.json", "b.jsonl", "c.jsonl.gz"])
    }

    @Test("A copy of the files in a folder beside them is not mixed in")
    func copies() throws {
        try make("rows.jsonl", "old/rows.jsonl", "backup/2024/a.jsonl")
        #expect(problem() == .severalFolders(["", "backup/2024", "old"], split: nil))
        let sentence = #expect(throws: DatasetError.self) { try files() }?.description
        #expect(sentence?.contains("the data files lie in the folders \".\", \"backup/2024\", \"old\"") == true)
        #expect(try files("/old") == ["old/rows.jsonl"] && files("/backup") == ["backup/2024/a.jsonl"])
        #expect(try files("/rows.jsonl") == ["rows.jsonl"])
        try make("own/train/a.jsonl", "own/train/old/a.jsonl", "own/test/a.jsonl")
        #expect(problem("/own:train") == .severalFolders(["train", "train/old"], split: "train"))
        #expect(try files("/own:test") == ["own/test/a.jsonl"])
    }

    @Test("One of several splits must be named, and is then read alone")
    func several() throws {
        try make(
            "data/train_prefs-00001-of-00002.parquet",
            "data/train_prefs-00000-of-00002.parquet",
            "data/test_prefs-00000-of-00001.parquet",
            "data/test_sft-00000-of-00001.parquet",
            "README.md"
        )
        #expect(problem() == .severalSplits(["test_prefs", "test_sft", "train_prefs"], fileOfNone: nil))
        let advice = #expect(throws: DatasetError.self) { try files() }?.description
        #expect(advice?.hasSuffix("name one behind a colon, as in PATH:train_prefs.") == true)
        let shards = ["data/train_prefs-00000-of-00002.parquet", "data/train_prefs-00001-of-00002.parquet"]
        #expect(try files(":train_prefs") == shards)
        #expect(try files("/data:test_sft").count == 1)
        #expect(problem(":train") == .noSplit("train", present: ["test_prefs", "test_sft", "train_prefs"]))
        let sentence = #expect(throws: DatasetError.self) { try files(":tran_prefs") }?.description
        #expect(sentence?.contains("did you mean \"train_prefs\"?") == true)
    }

    @Test("A file of no split beside others is not mixed in silently")
    func stray() throws {
        try make("train.jsonl", "extra.jsonl")
        #expect(problem() == .severalSplits(["train"], fileOfNone: "extra.jsonl"))
        #expect(try files(":train") == ["train.jsonl"])
    }

    @Test("Files of one split in several folders are several data sets")
    func configurations() throws {
        try make("main/train-00000-of-00001.parquet", "socratic/train-00000-of-00001.parquet")
        #expect(problem() == .severalFolders(["main", "socratic"], split: "train"))
        #expect(problem(":train") == .severalFolders(["main", "socratic"], split: "train"))
        #expect(try files("/main") == ["main/train-00000-of-00001.parquet"])
    }

    @Test("Of numbered files all must be there, and each once")
    func shards() throws {
        try make("train-00000-of-00003-0f.jsonl", "train-00002-of-00003-1e.jsonl", "test-00000-of-00001.jsonl")
        #expect(problem(":train") == .missingShards("train-00000-of-00003-0f.jsonl", found: 2, of: 3))
        #expect(try files(":test").count == 1)
        try make("train-00001-of-00003-2d.jsonl")
        #expect(try files(":train").count == 3)
        try make("train-00001-of-00003.jsonl.gz")
        #expect(problem(":train") == .oneShardTwice("train-00001-of-00003-2d.jsonl", "train-00001-of-00003.jsonl.gz"))
    }

    private func link(_ name: String, to target: String) throws {
        let path = directory.url.appending(path: name).path
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }

    @Test("A link to nothing is an error where its file is wanted, and one file under two names always")
    func links() throws {
        try make("v1/a.jsonl")
        try link("latest", to: "v1")
        #expect(problem() == .severalFolders(["latest", "v1"], split: nil))
        #expect(try files("/latest") == ["latest/a.jsonl"])
        try link("v1/b.jsonl", to: "a.jsonl")
        #expect(problem("/v1") == .oneFileTwice("a.jsonl", "b.jsonl"))
        try make("cache/blob", "hub/README.md")
        try link("hub/train.jsonl", to: "../cache/blob")
        try link("hub/test.jsonl", to: "../cache/blob")
        try link("hub/test_b.jsonl", to: "../cache/none")
        #expect(try files("/hub:train") == ["hub/train.jsonl"] && files("/hub:test") == ["hub/test.jsonl"])
        guard case .unreadable? = problem("/hub:test_b") else {
            Issue.record("a link to nothing was passed over")
            return
        }
    }

    @Test("What has come beside files that were read is told by their split, whatever else has come")
    func besides() throws {
        try make("train.jsonl", "test.jsonl", "more/train_b.jsonl", "x.jsonl")
        let source = DatasetSource(path: directory.url.path)
        let train = directory.url.appending(path: "train.jsonl").path
        #expect(try source.paths(besides: [train]) == [train])
        try make("more/train-2.jsonl")
        let second = directory.url.appending(path: "more/train-2.jsonl").path
        #expect(try source.paths(besides: [train]).sorted() == [second, train])
        #expect(try DatasetSource(path: source.path + ":train").paths(besides: [train]).count == 2)
        #expect(try DatasetSource(path: train).paths(besides: []) == [train])
        #expect(try DatasetSource(path: source.path + "/none:train").paths(besides: [train]).isEmpty)
    }

    @Test("Forms that are not read are refused where they are wanted, and Parquet beside text always")
    func forms() throws {
        #expect(problem() == .noFiles)
        try make("train.jsonl", "test.csv")
        #expect(try files(":train") == ["train.jsonl"])
        #expect(problem(":test") == .unknownFormat(isKnownToOthers: true))
        try make("train.parquet")
        #expect(problem(":train") == .severalKinds("train.jsonl", "train.parquet"))
    }

    @Test("A link to a folder above ends; a path with a colon in it is a path where it exists; a file has no splits")
    func places() throws {
        try make("a:b/x.jsonl", "y.jsonl")
        #expect(try files("/a:b") == ["a:b/x.jsonl"])
        try FileManager.default.createSymbolicLink(
            at: directory.url.appending(path: "a:b/up"),
            withDestinationURL: directory.url
        )
        #expect(problem("/a:b") == .severalFolders(["", "up"], split: nil))
        guard case .inconsistent? = problem("/y.jsonl:train"), case .unreadable? = problem("/none:train") else {
            Issue.record("a file has splits, or nothing has")
            return
        }
    }
}
