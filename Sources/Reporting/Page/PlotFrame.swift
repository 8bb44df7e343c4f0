import Foundation

/// The frame of a plot in SVG: grid, ticks and what the axes say; marks are placed by their values.
public struct PlotFrame: Sendable {
    /// The values to the right.
    public let horizontal: PlotAxis
    /// The values upwards.
    public let vertical: PlotAxis
    /// What the horizontal axis says.
    public let horizontalTitle: String

    // Units of the picture, which a browser makes as wide as there is room.
    private static let (width, height) = (480.0, 270.0)
    private static let (left, right, top, bottom) = (64.0, 14.0, 10.0, 46.0)

    /// A frame around two axes.
    public init(horizontal: PlotAxis, vertical: PlotAxis, horizontalTitle: String) {
        (self.horizontal, self.vertical, self.horizontalTitle) = (horizontal, vertical, horizontalTitle)
    }

    /// The place of a value to the right, in the picture's units.
    public func x(_ value: Double) -> Double {
        let share = (value - horizontal.lower) / (horizontal.upper - horizontal.lower)
        return Self.left + share * (Self.width - Self.left - Self.right)
    }

    /// The place of a value upwards, in the picture's units, which count downwards.
    public func y(_ value: Double) -> Double {
        let share = (value - vertical.lower) / (vertical.upper - vertical.lower)
        return Self.height - Self.bottom - share * (Self.height - Self.top - Self.bottom)
    }

    /// A number of the picture's units as SVG takes it.
    public static func text(_ value: Double) -> String {
        let text = String(format: "%.1f", value)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// The picture.
    ///
    /// - Parameters:
    ///   - marks: what is drawn in the frame, as markup
    ///   - label: what is said to who cannot see it, as text
    public func svg(marks: String, label: String) -> String {
        let (edge, floor) = (Self.width - Self.right, Self.height - Self.bottom)
        let rows = zip(vertical.ticks, vertical.labels).map { tick, label in
            let place = Self.text(y(tick))
            return """
                <path class="grid" d="M\(Self.text(Self.left)) \(place)H\(Self.text(edge))"/>\
                <text x="\(Self.text(Self.left - 8))" y="\(Self.text(y(tick) + 5))" text-anchor="end">\
                \(HTMLText.escaped(label))</text>
                """
        }
        let columns = zip(horizontal.ticks, horizontal.labels).map { tick, label in
            let place = Self.text(x(tick))
            return """
                <path class="grid" d="M\(place) \(Self.text(floor))v5"/>\
                <text x="\(place)" y="\(Self.text(floor + 21))" text-anchor="middle">\(HTMLText.escaped(label))</text>
                """
        }
        return """
            <svg viewBox="0 0 \(Self.text(Self.width)) \(Self.text(Self.height))" role="img" \
            aria-label="\(HTMLText.escaped(label))" font-size="14">\(rows.joined())\(columns.joined())
            <text x="\(Self.text((Self.left + edge) / 2))" y="\(Self.text(Self.height - 6))" text-anchor="middle">\
            \(HTMLText.escaped(horizontalTitle))</text>
            \(marks)</svg>
            """
    }
}
