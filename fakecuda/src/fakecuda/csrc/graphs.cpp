// Graphs, once they have been captured. A graph runs its nodes in the order of capture, with the
// arguments and the addresses that were captured: memory that has been given to others since then
// is overwritten, as on a GPU.
#include <cuda_runtime_api.h>

#include <cstdio>

#include "device_memory.h"
#include "errors.h"
#include "faults.h"
#include "streams.h"

namespace fakecuda {

// The memory that allocation nodes name belongs to the graph.
Graph::~Graph() {
  Lock lock(mutex);
  for (void* address : allocations)
    if (Block* block = find_block(address)) release(*block);
}

}  // namespace fakecuda

using namespace fakecuda;

namespace {

// A graph handle and an executable one are both a shared pointer: graphs do not change.
std::shared_ptr<Graph>& graph_of(void* handle) {
  return *static_cast<std::shared_ptr<Graph>*>(handle);
}

void run(const Graph& graph) {
  for (auto& node : graph.nodes) {
    DeviceAccess access(node.device);
    node.task();
  }
}

// In DOT, for cudaGraphDebugDotPrint.
void print(const Graph& graph, FILE* file, bool verbose) {
  fprintf(file, "digraph dot {\n");
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    auto& node = graph.nodes[i];
    fprintf(file, "  node_%zu [label=\"%zu: %s", i, i, node.label.c_str());
    if (verbose) fprintf(file, "\\ndevice %d", node.device);
    fprintf(file, "\"];\n");
    for (int before : node.after) fprintf(file, "  node_%d -> node_%zu;\n", before, i);
  }
  fprintf(file, "}\n");
}

}  // namespace

C_API cudaError_t cudaGraphInstantiate(cudaGraphExec_t* out, cudaGraph_t graph,
                                       unsigned long long) {
  return runtime_call([&] {
    *out = reinterpret_cast<cudaGraphExec_t>(new std::shared_ptr<Graph>(graph_of(graph)));
    return 0;
  });
}

C_API cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return runtime_call([&] {
    delete &graph_of(graph);
    return 0;
  });
}

C_API cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  return runtime_call([&] {
    delete &graph_of(graph);
    return 0;
  });
}

C_API cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t stream) {
  return runtime_call([&] { return find_stream(stream) ? 0 : cudaErrorInvalidResourceHandle; });
}

C_API cudaError_t cudaGraphLaunch(cudaGraphExec_t handle, cudaStream_t stream) {
  auto graph = graph_of(handle);
  return static_cast<cudaError_t>(enqueue(stream, "graph", [graph] { run(*graph); }));
}

C_API cudaError_t cudaGraphDebugDotPrint(cudaGraph_t graph, const char* path, unsigned flags) {
  return runtime_call([&]() -> int {
    FILE* file = fopen(path, "w");
    if (!file) return cudaErrorOperatingSystem;
    print(*graph_of(graph), file, flags & cudaGraphDebugDotFlagsVerbose);
    fclose(file);
    return 0;
  });
}
