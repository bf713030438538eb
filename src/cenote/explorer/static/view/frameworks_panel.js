// The frameworks side by side: numbers in small tables, what differs is marked, and why is said.

import { shown } from "../engine/formula.js";
import { columns } from "../engine/answers.js";
import { h, put, times } from "./dom.js";

/**
 * @typedef {import("../engine/answers.js").Column} Column
 * @typedef {import("../engine/dialects.js").Dialect} Dialect
 */

const MOST = 64; // numbers that are still read

/** @param {import("./app.js").Page} page @returns {import("./app.js").Panel} */
export function frameworksPanel({ dialects }) {
  const cards = [null, ...dialects].map(card);
  put("frameworks", ...cards.map(({ element }) => element));
  /** @param {import("./app.js").View} view */
  const point = ({ focus }) => cards.forEach((each) => each.point(focus.output));
  return {
    update(view) {
      const found = columns(view.state, dialects, view.answer);
      found.forEach((column, i) => cards[i].show(column, found[0]));
      point(view);
    },
    point,
  };
}

/** @param {Dialect | null} row */
function card(row) {
  const name = row ? row.title : "cenote";
  const verdict = h("p", { class: "verdict" });
  const numbers = h("div", { class: "scroll" });
  const reasons = h("ul", { class: "reasons" });
  /** @type {HTMLElement[]} */
  let cells = [];
  const head = h("h3", {}, name, row && h("span", { class: "runs-on" }, row.habits.runs_on));
  const element = h("section", { class: "framework", "aria-label": name }, head, verdict, numbers, reasons, row && facts(row));
  return {
    element,
    /** @param {Column} column @param {Column} ours */
    show(column, ours) {
      const { shape, values } = column;
      element.classList.toggle("refuses", !shape);
      put(verdict, said(column, ours));
      cells = shape && values && values.length <= MOST ? Array.from(values, (value, flat) => cell(column, value, flat)) : [];
      put(numbers, ...tables(column, cells));
      numbers.tabIndex = cells.length ? 0 : -1; // wide ones are scrolled by the keyboard too
      put(reasons, ...column.reasons.map((reason) => h("li", {}, reason)));
      if (String(shape) !== String(ours.shape)) cells = []; // another window stands at the same place
    },
    /** @param {number} output */
    point(output) {
      cells.forEach(({ classList }, flat) => classList.toggle("looked-at", flat === output));
    },
  };
}

/** The verdict in a line. @param {Column} column @param {Column} ours */
function said(column, ours) {
  const { shape, values, different, unsure, refusal } = column;
  if (!shape) return `\u2298 ${refusal}`;
  const size = times(shape);
  if (column === ours) return size;
  if (String(shape) !== String(ours.shape)) return `\u2260 ${size}, another shape`;
  if (!values) return `${size}, too many cells to compare numbers`;
  if (!different.size) return `= ${size}, all alike`;
  const certain = different.size - unsure.size;
  const words = [certain && `${certain} of ${values.length} differ`, unsure.size && `${unsure.size} may differ`];
  return `\u2260 ${size}, ${words.filter(Boolean).join(", ")}`;
}

/** A table for each slice. @param {Column} column @param {HTMLElement[]} cells */
function tables({ shape, title }, cells) {
  const [slices, rows, across] = [1, 1, ...(shape ?? [])].slice(-3);
  if (!cells.length) return [];
  return Array.from({ length: slices }, (_, depth) => {
    const caption = h(
      "caption",
      { class: slices > 1 ? "" : "hidden-visually" },
      slices > 1 ? `depth ${depth}` : `outputs of ${title}`,
    );
    const lines = Array.from({ length: rows }, (_, i) =>
      h("tr", {}, ...cells.slice((depth * rows + i) * across, (depth * rows + i + 1) * across)),
    );
    return h("table", { class: "numbers" }, caption, h("tbody", {}, ...lines));
  });
}

/** @param {Column} column @param {number} value @param {number} flat */
function cell({ unsure, different }, value, flat) {
  const text = shown(value, 3);
  const open = unsure.has(flat);
  if (!open && !different.has(flat)) return h("td", {}, text);
  return h(
    "td",
    { class: open ? "unsure" : "differs" },
    h("span", { class: "mark", "aria-hidden": "true" }, open ? "?" : "\u2260"),
    text,
    h("span", { class: "hidden-visually" }, open ? ", or another number" : ", differs"),
  );
}

/** What is known of a framework, and where it is written. @param {Dialect} row */
function facts({ title, nan, divisor, divides, notes }) {
  return h(
    "details",
    {},
    h("summary", {}, `Notes on ${title}`),
    h(
      "ul",
      { class: "facts" },
      h("li", {}, `NaN: ${nan}`),
      h("li", {}, `averages divide by ${divisor} when left out; there is ${divides}`),
      ...notes.map(({ text, source }) => h("li", {}, text, h("cite", {}, source))),
    ),
  );
}
