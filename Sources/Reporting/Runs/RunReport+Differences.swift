import Configuration

extension RunReport {
    /// What the runs' recipes say differently: how they were made, and settings that several of them have.
    var differences: Section? {
        guard runs.count > 1 else { return nil }
        let records = rows(runs.map { Self.record($0.recipe) }).filter { Set($0.values).count > 1 }
        let settings = rows(
            runs.map { $0.recipe.settings.filter { $0.key != "output" }.map { ($0.key, $0.value ?? "none") } }
        )
        let shared = settings.filter { $0.values.count { $0 != nil } > 1 }
        let differing = records + shared.filter { Set($0.values.compactMap(\.self)).count > 1 }
        let table = HTMLText.table(
            ["setting"] + runs.indices.map(heading),
            differing.map { [HTMLText.escaped($0.key)] + $0.values.map(cell) }
        )
        let none = """
            <p>None in stage, working directory, versions and commits of hubs, and none in the settings that at least two of the runs \
            have; output was not compared.</p>
            """
        let alone = settings.filter { $0.values.count { $0 != nil } == 1 }.map(\.key).joined(separator: ", ")
        let about = "<p class=\"note\">Only one of the runs has: \(HTMLText.beginning(of: alone, limit: 1000)).</p>"
        return Section(
            title: "Differences between the recipes",
            body: (differing.isEmpty ? none : table) + (alone.isEmpty ? "" : about)
        )
    }

    /// How a run was made, beside its settings.
    private static func record(_ recipe: RecipeRecord) -> [(String, String)] {
        let places = [("stage", recipe.stage)] + (recipe.workingDirectory.map { [("working directory", $0)] } ?? [])
        let versions = recipe.versions.map { ("version of " + $0.component, $0.version) }
        let commits = recipe.hubCommits.isEmpty ? [] : [("hub commits", recipe.hubCommits.joined(separator: ", "))]
        return places + versions + commits
    }

    /// The values of all runs by the keys in the order in which they first appear; nil where a run has none.
    private func rows(_ runs: [[(String, String)]]) -> [(key: String, values: [String?])] {
        let values = runs.map { Dictionary($0) { _, last in last } }
        var known: Set<String> = []
        return runs.joined().map(\.0).filter { known.insert($0).inserted }.map { key in (key, values.map { $0[key] }) }
    }
}
