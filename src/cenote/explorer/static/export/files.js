// Files of what is shown: their names, the state as JSON, the page itself with another state in it, and the way to the disk.

import { pack } from "../engine/arrays.js";
import { links, packed } from "../engine/state.js";
import { h } from "../view/dom.js";

/** @typedef {import("../engine/state.js").State} State */

// The page as it came, read before anything is drawn: this part runs before main.js. A copy leaves no way to a server.
const SOURCE =
  typeof document === "undefined"
    ? ""
    : `<!doctype html>\n${document.documentElement.outerHTML}\n`.replace(/; connect-src 'self'(?=")/, "");
const DATA = /(<script[^>]*\bid="data"[^>]*>)[^<]*(?=<\/script>)/;

/** As in cenote-max-3x3.png. @param {State} state @param {string} ending */
export function filename({ op, words: { form, size } }, ending) {
  return `${["cenote", form !== "slide" && form, op, form !== "global" && size.join("x")].filter(Boolean).join("-")}.${ending}`;
}

/** A state whose large arrays are bytes. @param {State} state */
function whole(state) {
  return links(state) ? packed(state) : { ...packed(state), values: pack(state.values, state.shape) };
}

/** @param {State} state */
export function jsonText(state) {
  return `${JSON.stringify(whole(state))}\n`;
}

/** The page that begins with this state, as the text of a file. @param {State} state @param {object} data what the page was given @param {string} source */
export function pageText(state, data, source = SOURCE) {
  if (!DATA.test(source)) throw new Error("this page is served in parts: a self-contained one can be made from its file");
  const text = JSON.stringify({ ...data, state: whole(state), token: null, note: null }).replace(/</g, "\\u003c");
  return source.replace(DATA, (_, tag) => tag + text);
}

/** Hands a file to the browser, which knows where downloads go. @param {Blob} blob @param {string} name */
export function download(blob, name) {
  const href = URL.createObjectURL(blob);
  h("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000); // large files are still being read after the click
}
