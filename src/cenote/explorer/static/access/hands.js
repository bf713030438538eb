// What a grid hears. Mouse, pen and finger: hovering shows, a click pins, a drag over the input takes the nearest window along.
// The keyboard as WAI-ARIA describes it: one stop for the tabulator, arrow keys from cell to cell.

import { squareAt } from "../view/board.js";
import { on } from "../view/dom.js";

/**
 * @typedef {import("../view/board.js").Square} Square
 * @typedef {import("../view/grid.js").Grid} Grid
 *
 * @typedef {object} Doing  what a grid answers to; only a drag knows padding
 * @property {(flat: number) => unknown} point
 * @property {(flat: number) => unknown} click
 * @property {(square: Square) => void} [edit]
 * @property {(square: Square) => void} [drag]
 * @property {() => unknown} [leave]
 */

/** @type {Record<string, [number, number]>} */
const STEPS = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

/**
 * Enter changes a cell where that is possible; elsewhere it pins, as the space bar does. `free` lets go of what is pinned.
 * @param {Grid} grid @param {Doing} doing @param {() => void} free
 */
export function attend(grid, doing, free) {
  const { surface } = grid;
  let from = /** @type {Square | undefined} */ (undefined);
  let dragged = false;
  on(surface, "pointerdown", (event) => {
    from = event.button === 0 ? grid.hit(event) : undefined;
    event.target.releasePointerCapture?.(event.pointerId); // a finger would stay with the cell that it touched first
    dragged = false;
  });
  on(surface, "pointermove", (event) => {
    const square = grid.hit(event);
    if (!square) return;
    if (from && doing.drag && event.buttons & 1) {
      dragged ||= square !== from;
      if (dragged) doing.drag(square);
    } else if (square.flat !== null) doing.point(square.flat);
  });
  on(surface, "click", (event) => {
    const flat = grid.hit(event)?.flat ?? null;
    if (flat !== null && !dragged) doing.click(flat);
    from = undefined;
  });
  on(surface, "dblclick", (event) => {
    const square = grid.hit(event);
    if (square && square.flat !== null) doing.edit?.(square);
  });
  on(surface, "pointerleave", () => doing.leave?.());

  const go = (/** @type {Square} */ square, /** @type {boolean} */ focus) => {
    grid.activate(square, focus);
    if (square.flat !== null) doing.point(square.flat);
  };
  on(surface, "keydown", (event) => {
    const { key, altKey, metaKey } = event;
    if (altKey || metaKey) return;
    if (key === "Escape") return free();
    const square = target(grid, event);
    const here = grid.active();
    if (square) go(square, true);
    else if (key !== "Enter" && key !== " ") return;
    else if (here.flat !== null) key === "Enter" && doing.edit ? doing.edit(here) : doing.click(here.flat);
    event.preventDefault();
  });
  on(surface, "focusin", (event) => go(grid.hit(event) ?? grid.active(), false));
}

/** @param {Grid} grid @param {KeyboardEvent} event @returns {Square | undefined} */
function target({ board, active }, { key, ctrlKey }) {
  if (!STEPS[key]) return undefined;
  const [down, across] = STEPS[key];
  const { row, column } = active();
  const [first, last] = [board.squares[0], board.squares[board.squares.length - 1]];
  const to = row + (ctrlKey && !Number.isFinite(across) ? across : down);
  return squareAt(
    board,
    Math.min(last.row, Math.max(first.row, to)),
    Math.min(last.column, Math.max(first.column, column + across)),
  );
}
