/// Which columns of a table rows are made of.
struct ColumnChoice: Sendable {
    /// Columns that nobody will look at, which are not even read.
    var skipped: Set<String> = []
}
