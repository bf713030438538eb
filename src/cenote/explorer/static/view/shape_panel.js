// Shape arithmetic with the numbers put in, axis by axis.

import { CONVOLUTION } from "../engine/convolution.js";
import { arithmetic, pace } from "../engine/shapes.js";
import { filtering, pooled, rules } from "../engine/state.js";
import { axis, overhang, unread } from "../engine/windows.js";
import { AXES } from "./controls.js";
import { h, put } from "./dom.js";

/** @typedef {import("../engine/windows.js").Rule} Rule */

/** @returns {import("./app.js").Panel} */
export function shapePanel() {
  return {
    update({ state }) {
      const { shape } = pooled(state);
      const first = filtering(state) ? state.shape.map((length, i) => line(`${AXES[1][i]}, filter`, CONVOLUTION, length)) : [];
      put("sums", ...first, ...rules(state.words).map((rule, i) => line(AXES[shape.length - 1][i], rule, shape[i])));
    },
  };
}

/** @param {string} name @param {Rule} rule @param {number} length */
function line(name, rule, length) {
  const table = axis(rule, length);
  const dropped = unread(table).length;
  const over = overhang(table);
  const [cells, stride] = pace(rule, length);
  const count = (/** @type {number} */ n) => `${n} cell${n > 1 ? "s" : ""}`;
  const notes = [
    (table.lo || table.hi) && `${table.lo} before, ${table.hi} after`,
    dropped && `${count(dropped)} in no window`,
    over && `the last window hangs over by ${over}`,
    `${count(cells)} wide, ${stride ? `${stride} apart` : "unevenly apart"}`,
  ];
  return h(
    "li",
    {},
    h("span", { class: "axis" }, name),
    h("code", {}, arithmetic(rule, length)),
    h("span", { class: "note" }, notes.filter(Boolean).join(" · ")),
  );
}
