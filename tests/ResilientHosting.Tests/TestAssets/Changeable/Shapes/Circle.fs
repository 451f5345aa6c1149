module Shapes.Circle

let area (radius: float) = 3.0 * radius * radius
