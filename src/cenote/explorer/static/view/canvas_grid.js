// A grid too large for numbers: pixels below, marks above, and one element for the keyboard.

import { firstOf, placed, squareAt } from "./board.js";
import { rgb } from "./colour.js";
import { brush, h, painted } from "./dom.js";

/**
 * @typedef {import("./board.js").Board} Board
 * @typedef {import("./board.js").Square} Square
 * @typedef {import("./grid.js").Looks} Looks
 * @typedef {import("./grid.js").Grid} Grid
 */

/** @param {Board} board @param {Looks} looks @returns {Grid} */
export function canvasGrid(board, looks) {
  const { id, cell, label } = looks;
  const { columns, rows, top, left } = board;
  const [width, height] = [columns * cell, rows * cell];
  const below = painted(columns, rows, (at) => colour(board.squares[at], looks));
  const above = h("canvas", {
    id,
    class: "marks",
    width,
    height,
    tabindex: 0,
    role: "application",
    "aria-roledescription": "grid",
    "aria-label": `${label}; arrow keys move`,
  });
  let active = firstOf(board);
  return {
    element: h("div", { class: "canvas grid" }, below, above),
    surface: above,
    board,
    active: () => active,
    activate(square, focus) {
      active = square;
      if (focus) above.focus();
    },
    mark: (classes) => outline(above, board, cell, classes),
    box({ row, column }) {
      const { x, y } = above.getBoundingClientRect();
      return new DOMRect(x + (column + left) * cell, y + (row + top) * cell, cell, cell);
    },
    hit({ clientX, clientY }) {
      const { x, y } = above.getBoundingClientRect();
      return squareAt(board, Math.floor((clientY - y) / cell) - top, Math.floor((clientX - x) / cell) - left);
    },
  };
}

/** Padding is a checkerboard of two greys, a NaN red and black by turns: neither is told by its colour alone. @param {Square} square @param {Looks} looks */
function colour(square, { paint, scale }) {
  const odd = (square.row + square.column) & 1;
  if (square.flat === null) return odd ? [128, 134, 142, 255] : [176, 182, 190, 255];
  return [...(rgb(paint(square), scale) ?? (odd ? [30, 30, 30] : [190, 40, 40])), square.unread ? 110 : 255];
}

/** Every cell outlined, two wide so that it is seen around the smallest window as well. @param {HTMLCanvasElement} canvas @param {Board} board @param {number} cell @param {Map<string, string>} marks */
function outline(canvas, board, cell, marks) {
  const context = brush(canvas);
  const style = getComputedStyle(canvas);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.lineWidth = 2;
  for (const { square, classes } of placed(board, marks)) {
    context.strokeStyle = style.getPropertyValue(/winner|tie/.test(classes) ? "--winner" : "--window");
    const grow = /winner|chosen/.test(classes) ? 2 : 0;
    context.strokeRect(
      (square.column + board.left) * cell - grow,
      (square.row + board.top) * cell - grow,
      cell + 2 * grow,
      cell + 2 * grow,
    );
  }
}
