/// Which columns of a table rows are made of.
struct ColumnChoice: Sendable {
    /// Columns that nobody will look at, which are not even read.
    var skipped: Set<String> = []
    /// Columns that are wanted, or nil for all.
    ///
    /// What no row can hold is an error in these, and is left out of any other.
    var required: Set<String>?

    func requires(_ column: String) -> Bool { required?.contains(column) ?? true }
}
