// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace freshet::detail {

/// What the browser may do for the page: nothing but this style and this script, by their SHA-256. A test computes the
/// digests and names those that are right after a change.
inline constexpr std::string_view page_policy =
    "default-src 'none'; style-src 'sha256-U/UG5p6VS1tL3B9SfiRsC+qBg5AVvexGxdhwKLUu8SM='; "
    "script-src 'sha256-IStFyrOjEEozy17Zv+l8aeThd8r3ZMjCTUXGV5GM/yQ='; base-uri 'none'; form-action 'none'";

inline constexpr std::string_view page_style = R"css(
:root { color-scheme: light dark; --ground: #fff; --ink: #1b1f24; --dim: #57606a; --line: #d8dee4; --soft: #f6f8fa;
  --link: #0550ae; --send: #116329; --ask: #6639ba; --dead: #a40e26; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1117; --ink: #e6edf3; --dim: #9198a1; --line: #30363d; --soft: #161b22; --link: #79b8ff;
    --send: #56d364; --ask: #d2a8ff; --dead: #ff7b72; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, input:focus-visible, pre:focus-visible { outline: 2px solid var(--link);
  outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem; background: var(--ground); }
header, .columns { max-width: 75rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
h1 { margin: 0; font-size: 1.75rem; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
h3 { font-size: 1.05rem; margin: 0 0 .5rem; display: flex; flex-wrap: wrap; gap: .5rem; align-items: baseline; }
h4 { font-size: 1rem; margin: 1rem 0 .25rem; }
h5 { font-size: .95rem; margin: 0 0 .25rem; }
code, pre { font: .9em/1.45 ui-monospace, monospace; }
pre { margin: .5rem 0; padding: .75rem; background: var(--soft); border: 1px solid var(--line); border-radius: 6px;
  overflow-x: auto; overflow-wrap: normal; }
ul { margin: 0; padding: 0; list-style: none; }
search { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: 1rem 0; }
search input { flex: 1 1 12rem; max-width: 30rem; min-width: 0; padding: .4rem .6rem; font: inherit; color: inherit;
  background: var(--ground); border: 1px solid var(--dim); border-radius: 6px; }
output, .note, .text, .type, .version { color: var(--dim); }
.version { font-size: 1rem; font-weight: normal; margin-left: .5rem; }
.text { white-space: pre-line; }
.columns { display: grid; grid-template-columns: 16rem minmax(0, 1fr); gap: 2rem; }
nav { font-size: .9rem; align-self: start; position: sticky; top: 0; max-height: 100vh; overflow-y: auto; }
nav li { margin: .25rem 0; }
main { padding-bottom: 4rem; }
article { border: 1px solid var(--line); border-radius: 8px; padding: 1rem; margin: 1rem 0; scroll-margin-top: .5rem; }
article:target { border-color: var(--link); }
.here { margin-left: auto; text-decoration: none; }
.kind, .badge, .tag { font: .75rem/1.4 system-ui, sans-serif; padding: .1rem .5rem; border: 1px solid currentColor;
  border-radius: 1rem; white-space: nowrap; }
.kind { color: var(--link); }
.kind.publish { color: var(--send); }
.kind.request { color: var(--ask); }
.kind.dead_letter, .badge { color: var(--dead); }
.tag { margin-right: .4rem; color: var(--dim); }
.title { margin: 0 0 .25rem; font-weight: 600; }
.fact { margin: .15rem 0; display: flex; flex-wrap: wrap; gap: 0 .5rem; align-items: baseline; }
.fact b { font-weight: normal; color: var(--dim); min-width: 9rem; }
.message { margin: .75rem 0 0; padding: .75rem 0 0; border-top: 1px solid var(--line); }
.members { margin: .25rem 0 .25rem 1rem; }
.members li { margin: .2rem 0; }
.member { margin-right: .5rem; }
.required { margin-left: .5rem; font-size: .8rem; color: var(--dead); }
.note { margin: 0 0 0 1rem; font-size: .9rem; }
summary { cursor: pointer; }
[hidden] { display: none; }
@media (max-width: 50rem) {
  .columns { display: block; }
  nav { position: static; max-height: none; }
}
)css";

// Without it the page shows all there is; with it the search hides what does not match.
inline constexpr std::string_view page_script = R"js(
const search = document.getElementById("search");
const found = document.getElementById("found");
const parts = [...document.querySelectorAll("[data-search]")];
search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const part of parts) {
    part.hidden = !words.every((word) => part.dataset.search.includes(word));
    for (const link of document.querySelectorAll("nav a[href='#" + CSS.escape(part.id) + "']"))
      link.parentElement.hidden = part.hidden;
  }
  const left = parts.filter((part) => !part.hidden).length;
  found.textContent = words.length ? left + " of " + parts.length : "";
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.focus();
  }
  if (event.key === "Escape" && document.activeElement === search) {
    search.value = "";
    search.dispatchEvent(new Event("input"));
  }
});
)js";

}  // namespace freshet::detail
