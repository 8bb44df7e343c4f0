import Configuration

/// What every point of the grid came to, as Markdown.
struct TuningReport {
    let results: TableResults

    init(_ results: TableResults) { self.results = results }

    var text: String {
        """
        # rto bench table --tune

        \(grid.markdown)
        Gold reward on the held-out prompts of chains \(results.plan.seeds.map(String.init).joined(separator: ", ")), which the
        table does not use; \(results.plan.scale.sizes.reinforcement / 2) prompts for reinforcement learning. The best of each method is
        marked.

        """
    }

    /// One row a method: every point of its grid, the best one marked.
    var grid: TextTable {
        let entries = results.plan.entries.filter { $0.name != $0.method.rawValue }
        let methods = TableMethod.allCases.filter { method in entries.contains { $0.method == method } }
        let rates = Set(entries.map(\.settings.learningRate)).sorted()
        var rows: [[String]] = []
        for method in methods {
            let own = entries.filter { $0.method == method }
            let best = own.max { gold($0) < gold($1) }
            for rate in rates {
                let points = own.filter { $0.settings.learningRate == rate }
                rows.append(
                    [method.title, "\(rate)"]
                        + points.map { entry in
                            let cell = TableReport.cell(results.gold(entry.name))
                            let name = "\(method.coefficientName) \(entry.settings.coefficient): "
                            return name + (entry == best ? "**\(cell)**" : cell)
                        }
                )
            }
        }
        return TextTable(heading: ["method", "learning rate", "low", "middle", "high"], rows: rows)
    }

    private func gold(_ entry: TableEntry) -> Double { results.gold(entry.name)?.mean ?? -.infinity }
}
