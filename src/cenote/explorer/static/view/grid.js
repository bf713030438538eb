// One grid of cells in SVG: built when the data changes, marked by classes when the window moves.

import { shown } from "../engine/formula.js";
import { firstOf, placed } from "./board.js";
import { canvasGrid } from "./canvas_grid.js";
import { ink } from "./colour.js";
import { s } from "./dom.js";

/**
 * @typedef {import("./board.js").Board} Board
 * @typedef {import("./board.js").Square} Square
 *
 * @typedef {object} Look
 * @property {string} id
 * @property {string} label  for who does not see it
 * @property {import("./colour.js").Scale} scale
 * @property {number} cell  length of a cell's side
 * @property {(square: Square) => number} [paint]  what is coloured, where it is not the value
 * @property {(square: Square) => string} [padding]  what stands in padding
 * @property {(square: Square) => string} [badge]  a small text in a corner
 * @property {(square: Square) => string} [said]  more to say of a cell
 *
 * @typedef {Look & {paint: (square: Square) => number}} Looks
 *
 * @typedef {object} Grid
 * @property {Element} element
 * @property {Element & GlobalEventHandlers} surface  what hears pointer and keys
 * @property {Board} board
 * @property {(places: Map<string, string>) => void} mark  classes by place
 * @property {() => Square} active  where the keyboard is
 * @property {(square: Square, focus?: boolean) => void} activate
 * @property {(square: Square) => DOMRect} box  where a square is on the screen
 * @property {(event: PointerEvent | MouseEvent) => Square | undefined} hit
 */

const SIDE = 46;
const SMALL = 5;
const READABLE = 26; // below it numbers are no longer read, and left out
const LARGEST = 72; // cells of a side: what 64 and their padding need; beyond it there is a canvas

/** How wide a cell is drawn: large arrays get smaller ones. @param {Board} board @param {number} room */
export function side(board, room) {
  const most = Math.max(board.columns, board.rows, 1);
  const fits = Math.floor(room / most);
  return most > LARGEST ? Math.max(1, fits) : Math.max(SMALL, Math.min(SIDE, fits));
}

/** @param {Board} board @param {Look} look @returns {Grid} */
export function grid(board, look) {
  const looks = { paint: (/** @type {Square} */ square) => square.value, ...look };
  return Math.max(board.rows, board.columns) > LARGEST ? canvasGrid(board, looks) : svgGrid(board, looks);
}

/** @param {Board} board @param {Looks} looks @returns {Grid} */
function svgGrid(board, looks) {
  const { id, cell, label } = looks;
  const { columns, rows, top, left, squares } = board;
  const [width, height] = [columns * cell + 3, rows * cell + 3];
  const groups = squares.map((square) => one(square, board, looks));
  const overlay = s("g", { class: "overlay", "aria-hidden": "true" });
  const lines = Array.from({ length: rows }, (_, i) => s("g", { role: "row" }, ...groups.slice(i * columns, (i + 1) * columns)));
  const drawing = s(
    "svg",
    { id, class: "grid", role: "grid", "aria-label": label, viewBox: `-1.5 -1.5 ${width} ${height}`, width, height },
    ...lines,
    overlay,
  );
  let active = firstOf(board);
  let marked = placed(board, new Map());
  groups[active.at].tabIndex = 0;
  return {
    element: drawing,
    surface: drawing,
    board,
    active: () => active,
    activate(square, focus) {
      groups[active.at].tabIndex = -1;
      active = square;
      groups[active.at].tabIndex = 0;
      if (focus) groups[active.at].focus();
    },
    box: (square) => groups[square.at].getBoundingClientRect(),
    mark(wanted) {
      for (const { square } of marked) groups[square.at].ariaSelected = null;
      marked = placed(board, wanted);
      for (const { square } of marked) groups[square.at].ariaSelected = "true";
      overlay.replaceChildren(...marked.flatMap(({ square: { row, column }, classes }) => outlines(row, column, classes)));
    },
    hit(event) {
      const found = /** @type {Element} */ (event.target).closest?.("[data-i]");
      return found ? squares[Number(found.getAttribute("data-i"))] : undefined;
    },
  };

  /** Above all cells, so that no neighbour covers a line; the halo is what makes it seen on any colour. @param {number} row @param {number} column @param {string} classes */
  function outlines(row, column, classes) {
    const inset = cell > 12 ? 2 : 0.5;
    const length = cell - 2 * inset;
    const box = { x: (column + left) * cell + inset, y: (row + top) * cell + inset, width: length, height: length };
    return [
      s("rect", { ...box, class: `halo ${classes}` }),
      s("rect", { ...box, class: classes, "data-place": `${row},${column}` }),
    ];
  }
}

/** @param {Square} square @param {Board} board @param {Looks} looks */
function one(square, board, looks) {
  const { at, row, column, kind, value, unread } = square;
  const { cell } = looks;
  const [x, y] = [(column + board.left) * cell, (row + board.top) * cell];
  const inside = kind === "cell";
  const { fill, dark } = inside ? ink(looks.paint(square), looks.scale) : { fill: null, dark: true };
  const more = looks.said?.(square);
  const name = inside ? shown(value) : looks.padding?.(square) ?? "";
  const box = { x, y, width: cell, height: cell, fill };
  const said = {
    class: `square ${kind}${unread ? " unread" : ""}${inside && Number.isNaN(value) ? " nan" : ""}${dark ? "" : " on-dark"}`,
    "data-i": at,
    role: "gridcell",
    tabindex: -1,
    "aria-label": `row ${row}, column ${column}: ${inside ? "" : `${kind}, `}${name}${more ? `, ${more}` : ""}`,
  };
  const numbers = cell >= READABLE;
  // Thousands of cells are small: one element each is what a browser draws in time.
  if (!numbers && !unread) return s("rect", { ...said, ...box });
  const text = inside ? shown(value, 3) : name;
  const badge = inside && looks.badge?.(square);
  return s(
    "g",
    said,
    s("rect", box),
    unread && s("path", { class: "cross", d: `M${x + 3} ${y + cell - 3}L${x + cell - 3} ${y + 3}` }),
    numbers && text && lines(text, x + cell / 2, y + cell / 2, cell),
    numbers && badge && s("text", { x: x + cell - 3, y: y + 8, class: "badge", "font-size": 9.5 }, badge),
  );
}

/** A number, or two words below each other. @param {string} text @param {number} x @param {number} y @param {number} cell */
function lines(text, x, y, cell) {
  const words = text.split(", ");
  const size = Math.min(cell * 0.36, (cell * 1.45) / Math.max(2, ...words.map((word) => word.length)));
  const plain = { x, y, "font-size": size.toFixed(1) };
  if (words.length < 2) return s("text", plain, text);
  const spans = words.map((word, i) => s("tspan", { x, y: y + (i - (words.length - 1) / 2) * size * 1.1 }, word));
  return s("text", plain, ...spans);
}
