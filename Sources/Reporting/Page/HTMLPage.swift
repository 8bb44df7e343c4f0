/// One HTML file that needs nothing else: no script, and nothing from any network.
public struct HTMLPage {
    /// What stands in the browser's title.
    public var title: String
    /// The command that wrote the page, by which it is known again.
    public var generator: String
    /// Rules of style in addition to those of every page.
    public var style: String
    /// What follows the heading, as markup.
    public var body: String

    /// A page of its parts; title and generator are text, the others markup.
    public init(title: String, generator: String, style: String = "", body: String) {
        (self.title, self.generator, self.style, self.body) = (title, generator, style, body)
    }

    /// The whole file.
    public var text: String {
        """
        \(Self.beginning(generator))<meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <title>\(HTMLText.escaped(title))</title><style>\(Self.style)
        \(style)</style></head><body>
        <h1>\(HTMLText.escaped(title))</h1>
        \(body)
        </body></html>

        """
    }

    /// What every page of a command begins with.
    public static func beginning(_ generator: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><meta name="generator" content="\(HTMLText.escaped(generator))">

        """
    }

    private static let style = """
        :root{color-scheme:light dark;--line:#8886;--good:#2a9d5c;--bad:#c8483a}
        body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:auto;padding:1rem}
        h1{font-size:1.4rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin-top:2rem}
        .wide{overflow-x:auto}table{border-collapse:collapse;white-space:nowrap}
        th,td{padding:.3rem .8rem .3rem 0;text-align:right;border-bottom:1px solid var(--line)}
        th:first-child,td:first-child{text-align:left}
        .caveat{border-left:4px solid var(--bad);padding-left:.8rem}
        svg{display:block;width:100%;max-width:40rem;height:auto;fill:currentColor}.grid{stroke:var(--line)}
        """
}
