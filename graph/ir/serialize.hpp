#pragma once

#include "graph/ir/byte_stream.hpp"
#include "graph/ir/graph.hpp"

namespace vkseg {

/// Appends a graph: constants as float32, inputs with their sizes, nodes. A value is named by its place, inputs first
/// and then one value for each node, so that a graph whose values are used before they are made cannot be written down.
/// Throws `Error` for a graph that uses a value which no input and no node makes.
void write_graph(ByteWriter& writer, const Graph& graph);

/// Reads it back and derives every shape by the rules. Throws `Error` naming node or constant, expected and found.
[[nodiscard]] Graph read_graph(ByteReader& reader);

}  // namespace vkseg
