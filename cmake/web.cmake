# flyball_embed_web(<target>): puts the built page (web/dist) into a target, each file as it is, gzip and brotli. Without
# web/dist or node the target gets an empty table, and the server says so when it is asked for the page.
function(flyball_embed_web target)
  set(out ${CMAKE_BINARY_DIR}/web_assets)
  set(dist ${CMAKE_SOURCE_DIR}/web/dist)
  set(tool ${CMAKE_SOURCE_DIR}/tools/embed-web)
  file(GLOB_RECURSE pages CONFIGURE_DEPENDS ${dist}/*)
  find_program(NODE_PROGRAM NAMES node nodejs)
  if(pages AND NODE_PROGRAM)
    add_custom_command(
      OUTPUT ${out}/assets.S ${out}/assets.cc
      COMMAND ${NODE_PROGRAM} ${tool} ${dist} ${out}
      DEPENDS ${pages} ${tool}
      COMMENT "Embedding the page")
    target_sources(${target} PRIVATE ${out}/assets.S ${out}/assets.cc)
  else()
    file(MAKE_DIRECTORY ${out})
    file(CONFIGURE OUTPUT ${out}/no_assets.cc @ONLY CONTENT
"#include \"serve/assets.h\"\n
namespace flyball::serve {
std::span<const Asset> EmbeddedAssets() { return {}; }
}  // namespace flyball::serve\n")
    target_sources(${target} PRIVATE ${out}/no_assets.cc)
  endif()
endfunction()
