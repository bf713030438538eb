// The middle of the page: input and output side by side, one window at a time, both ways, forward and backward.

import { formula, reason, shown } from "../engine/formula.js";
import { backward, shares, wins } from "../engine/gradient.js";
import { unravel } from "../engine/pooling.js";
import { filtering } from "../engine/state.js";
import { depthOf, depthOfWindow, holdersOf, inputBoard, key, marks, paddingName, plainBoard } from "./board.js";
import { scaleOf } from "./colour.js";
import { field, put, the, times } from "./dom.js";
import { grid, side } from "./grid.js";

/**
 * @typedef {import("../engine/pooling.js").Question} Question
 * @typedef {import("../engine/pooling.js").Answer} Answer
 * @typedef {import("../engine/state.js").State} State
 * @typedef {import("./board.js").Board} Board
 * @typedef {import("./board.js").Square} Square
 * @typedef {import("./colour.js").Scale} Scale
 * @typedef {import("./grid.js").Grid} Grid
 *
 * @typedef {object} Focus  which window is looked at, or which cell of the input
 * @property {number} output
 * @property {number | null} cell
 * @property {boolean} pinned
 *
 * @typedef {object} Drawn
 * @property {Question} asked
 * @property {Answer} answer
 * @property {ArrayLike<number>} upstream
 * @property {number} depth  of the input's slice
 * @property {number} slice  the depth of the output's
 * @property {Grid} input
 * @property {Grid} output
 * @property {Grid | null} above  the upstream gradient
 * @property {Grid | null} gradient
 */

/** How many cells stand side by side: one figure or two in a row. */
function room() {
  // By the widths in style.css: asking the page itself would make it lay out all, once for every grid.
  const wide = Math.min(1360, innerWidth) - (innerWidth > 860 ? 380 : 76);
  return Math.max(240, wide < 640 ? wide : Math.min(560, wide / 2 - 24));
}

/**
 * All grids anew, for another array or other windows.
 * @param {State} state @param {Question} asked @param {Answer} answer @param {Focus} focus @param {number} [wanted] depth of a slice of the input
 * @returns {Drawn}
 */
export function draw(state, asked, answer, focus, wanted) {
  const { shape, values } = asked;
  const depth = wanted ?? depthOfWindow(asked, answer, focus.output);
  const slice = depthOf(unravel(focus.output, answer.shape));
  const upstream = state.upstream?.length === answer.values.length ? state.upstream : new Array(answer.values.length).fill(1);
  const both = state.look.backward;
  for (const name of ["upstream", "gradient"]) the(`${name}-figure`).hidden = !both;
  const scale = scaleOf(values, answer.values);
  const board = inputBoard(asked, answer, depth);
  const cell = side(board, room());

  /** @param {string} name @param {string} label @param {Board} board @param {Partial<import("./grid.js").Look>} look */
  const shows = (name, label, board, look) => {
    const made = grid(board, { id: `${name}-grid`, label, scale, cell: side(board, room()), ...look });
    put(name, made.element);
    return made;
  };
  const input = shows("input", `input, ${shape.join(" by ")}`, board, {
    cell,
    padding: (square) => paddingName(asked, square),
    ...counts(asked, answer, state.look.heat),
  });
  const output = shows("output", `output, ${answer.shape.join(" by ")}`, plainBoard(answer.values, answer.shape, slice), {});
  put("input-title", `${filtering(state) ? "Filtered input" : "Input"}, ${times(shape)}${padded(answer)}`);
  put("output-title", `Output, ${times(answer.shape)}`);
  slices(answer, depth);
  const received = both ? backward(asked, answer, upstream) : [];
  const entered = { scale: scaleOf(upstream) };
  const above = both
    ? shows(
        "upstream",
        "upstream gradient of the output; Enter changes a number",
        plainBoard(upstream, answer.shape, slice),
        entered,
      )
    : null;
  const gradient = both
    ? shows("gradient", "gradient of the input", plainBoard(received, shape, depth), { scale: scaleOf(received), cell })
    : null;
  return { asked, answer, upstream, depth, slice, input, output, above, gradient };
}

/** How often every cell wins; where nothing wins, how many windows hold it: said, and drawn as heat.
 * @param {Question} asked @param {Answer} answer @param {boolean} heat @returns {Partial<import("./grid.js").Look>} */
function counts(asked, answer, heat) {
  if (!heat && !answer.winners) return {};
  const found = answer.winners ? wins(answer, asked.values.length) : held(asked, answer);
  const of = (/** @type {Square} */ { flat }) => (flat === null ? NaN : found[flat]);
  const word = answer.winners ? "wins" : "lies in";
  const said = (/** @type {Square} */ square) => (square.flat === null ? "" : `${word} ${of(square)} windows`);
  return heat ? { said, scale: scaleOf(found), paint: of, badge: (square) => `${of(square)}x` } : { said };
}

/** @param {Question} asked @param {Answer} answer */
function held({ shape, values }, { axes }) {
  const along = axes.map(({ length, real }) => {
    const found = new Array(length).fill(0);
    for (const at of real.flat()) found[at]++;
    return found;
  });
  return Int32Array.from(values, (_, flat) => unravel(flat, shape).reduce((n, at, i) => n * along[i][at], 1));
}

/** @param {Answer} answer */
function padded({ axes }) {
  return axes.some(({ lo, hi }) => lo + hi) ? `, padded by ${axes.map(({ lo, hi }) => `${lo} + ${hi}`).join(" and ")}` : "";
}

/** A slider over the slices of three axes. @param {Answer} answer @param {number} depth */
function slices({ axes }, depth) {
  the("slices").hidden = axes.length < 3;
  const [{ lo, length, hi }] = axes;
  put("slice", `slice ${depth} of ${length}${depth < 0 || depth >= length ? ", padding" : ""}`);
  Object.assign(field("input-depth"), { min: -lo, max: length + hi - 1, value: depth });
}

/** Marks what is looked at, and says what happens there. @param {Drawn} drawn @param {Focus} focus */
export function point(drawn, { output, cell, pinned }) {
  const { asked, answer, depth, slice } = drawn;
  /** @param {number[]} flats @param {number[]} shape @param {number} at @param {string} name @returns {Map<string, string>} */
  const named = (flats, shape, at, name) =>
    new Map(
      flats
        .map((flat) => unravel(flat, shape))
        .filter((place) => depthOf(place) === at)
        .map((place) => [key(place), name]),
    );
  const chosen = pinned ? "chosen pinned" : "chosen";
  const place = unravel(cell ?? output, cell === null ? answer.shape : asked.shape).join(", ");
  let into = marks(asked, answer, output, depth);
  let out = named([output], answer.shape, slice, chosen);
  let [text, why, where] = [formula(asked, answer, output), because(drawn, output), `output ${place}: `];
  if (cell !== null) {
    const holders = holdersOf(asked, answer, cell);
    into = named([cell], asked.shape, depth, chosen);
    out = named(holders, answer.shape, slice, "in-window");
    [text, why, where] = [`cell ${place} = ${shown(asked.values[cell])}`, told(answer, holders, cell), ""];
  }
  drawn.input.mark(into);
  drawn.gradient?.mark(into);
  drawn.output.mark(out);
  drawn.above?.mark(out);
  put("formula", text);
  put("reason", why);
  // For who listens: one sentence per step.
  put("live", `${where}${text}${why && `; ${why}`}`);
}

/** Why this result, and what goes back. @param {Drawn} drawn @param {number} output */
function because({ asked, answer, upstream, gradient }, output) {
  const why = reason(asked, answer, output);
  if (!gradient) return why;
  const given = shares(asked, answer, output, upstream[output]).map(([, share]) => share).filter((share) => share !== 0);
  const [count, share, whole] = [given.length, shown(given[0] ?? 0), `its gradient ${shown(upstream[output])}`];
  const back =
    !count ? `of ${whole} nothing goes back`
    : count === 1 ? `${whole} gives ${share} to one cell`
    : `${whole} goes to ${count} cells, ${new Set(given).size === 1 ? `${share} each` : "by their values"}`;
  return `${why && `${why}; `}${back}`;
}

/** @param {Answer} answer @param {number[]} outputs that hold the cell @param {number} cell */
function told({ winners }, outputs, cell) {
  const count = outputs.length;
  if (!count) return "no window reads it";
  const lies = `lies in ${count} window${count > 1 ? "s" : ""}`;
  return winners ? `${lies}, wins in ${outputs.filter((output) => winners[output] === cell).length || "none"}` : lies;
}
