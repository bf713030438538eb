// What the grids show, as data: every cell with its place, its value and all that is to be seen of it.
// An array of one axis is a single row, one of three axes a slice at a depth.

import { cellsOf, ravel, tapsOf, ties, unravel } from "../engine/pooling.js";
import { overhang, unread } from "../engine/windows.js";

/**
 * @typedef {import("../engine/pooling.js").Question} Question
 * @typedef {import("../engine/pooling.js").Answer} Answer
 *
 * @typedef {object} Square  one cell of a grid
 * @property {number} at  its number among the squares
 * @property {number} row  counted from the first cell of the array; in padding below 0 or beyond the last
 * @property {number} column
 * @property {"cell" | "padding" | "overhang"} kind
 * @property {number | null} flat  its number among the cells of the array; null in padding
 * @property {number} value
 * @property {boolean} unread  no window reads it
 *
 * @typedef {object} Board
 * @property {number} rows
 * @property {number} columns
 * @property {number} top  rows of padding before the first cell
 * @property {number} left
 * @property {Square[]} squares  row-major
 *
 * @typedef {{lo: number, length: number, hi: number, over: number, unread: Set<number>}} Side
 */

/** @type {Side} */
const BARE = { lo: 0, length: 1, hi: 0, over: 0, unread: new Set() };
const KINDS = /** @type {const} */ (["cell", "padding", "overhang"]);

/** The input with its padding, and with what the last windows hang over. @param {Question} asked @param {Answer} answer @param {number} depth of a slice; it may lie in padding */
export function inputBoard(asked, answer, depth) {
  return filled(
    answer.axes.map((axis) => ({ ...axis, over: overhang(axis), unread: new Set(unread(axis)) })),
    asked.values,
    depth,
  );
}

/** An array without padding: outputs, gradients. @param {ArrayLike<number>} values @param {number[]} shape */
export function plainBoard(values, shape, depth = 0) {
  return filled(shape.map((length) => ({ ...BARE, length })), values, depth);
}

/** @param {Side[]} sides @param {ArrayLike<number>} values @param {number} depth @returns {Board} */
function filled(sides, values, depth) {
  const [deep, down, across] = [BARE, BARE, ...sides].slice(-3);
  const [rows, columns] = [down, across].map(({ lo, length, hi, over }) => lo + length + hi + over);
  const kindOf = (/** @type {Side} */ { length, hi }, /** @type {number} */ at) =>
    at >= length + hi ? 2 : at < 0 || at >= length ? 1 : 0;
  const squares = Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns) - down.lo, (at % columns) - across.lo];
    const kind = KINDS[Math.max(kindOf(deep, depth), kindOf(down, row), kindOf(across, column))];
    const cell = kind === "cell";
    const flat = cell ? (depth * down.length + row) * across.length + column : null;
    const idle = cell && (deep.unread.has(depth) || down.unread.has(row) || across.unread.has(column));
    return { at, row, column, kind, flat, value: flat === null ? NaN : values[flat], unread: idle };
  });
  return { rows, columns, top: down.lo, left: across.lo, squares };
}

/** A square by its place; none beyond the board. @param {Board} board @param {number} row @param {number} column @returns {Square | undefined} */
export function squareAt({ rows, columns, top, left, squares }, row, column) {
  const [down, across] = [row + top, column + left];
  return down < 0 || across < 0 || down >= rows || across >= columns ? undefined : squares[down * columns + across];
}

/** Where a walk over the board begins. @param {Board} board */
export function firstOf({ squares }) {
  return squares.find(({ flat }) => flat !== null) ?? squares[0];
}

/** The squares of marked places with their classes, the most telling last. @param {Board} board @param {Map<string, string>} marks classes by place */
export function placed(board, marks) {
  const found = [...marks].flatMap(([place, classes]) => {
    const [row, column] = place.split(",").map(Number);
    const square = squareAt(board, row, column);
    return square ? [{ square, classes }] : [];
  });
  return found.sort((a, b) => a.classes.length - b.classes.length);
}

/** A place on a board, as a key. @param {number[]} place */
export function key(place) {
  return [0, ...place].slice(-2).join();
}

/** The depth of a place; 0 where there is none. @param {number[]} place */
export function depthOf(place) {
  return place.length > 2 ? place[0] : 0;
}

/** Classes by place of one output's window in a slice. @param {Question} asked @param {Answer} answer @param {number} output @param {number} depth */
export function marks(asked, answer, output, depth) {
  const at = unravel(output, answer.shape);
  /** @type {Map<string, string>} */
  const classes = new Map();
  const mark = (/** @type {number[]} */ place, /** @type {string} */ name) =>
    depthOf(place) === depth && classes.set(key(place), `in-window${name}`);
  for (const tap of tapsOf(answer.axes, at)) mark(tap, "");
  const winner = answer.winners?.[output] ?? -1;
  if (winner >= 0) {
    for (const tie of ties(asked.values, cellsOf(asked, answer, output), winner)) mark(unravel(tie, asked.shape), " tie");
    mark(unravel(winner, asked.shape), " winner");
  }
  return classes;
}

/** The depth at which most is to be seen of a window: the winner's, or the first that has cells. @param {Question} asked @param {Answer} answer @param {number} output */
export function depthOfWindow(asked, answer, output) {
  if (answer.shape.length < 3) return 0;
  const winner = answer.winners?.[output] ?? -1;
  if (winner >= 0) return depthOf(unravel(winner, asked.shape));
  const [{ real, taps }] = answer.axes;
  const [depth] = unravel(output, answer.shape);
  return real[depth][0] ?? taps[depth][0];
}

/** Outputs whose windows hold a cell. @param {Question} asked @param {Answer} answer @param {number} flat */
export function holdersOf(asked, answer, flat) {
  const at = unravel(flat, asked.shape);
  let found = [0];
  answer.axes.forEach(({ real }, i) => {
    const outputs = real.flatMap((row, output) => (row.includes(at[i]) ? [output] : []));
    found = found.flatMap((before) => outputs.map((output) => before * real.length + output));
  });
  return found;
}

/** The output whose window lies nearest to a place: what a drag takes hold of. @param {Answer} answer @param {number[]} place one number per axis */
export function nearest(answer, place) {
  const at = answer.axes.map(({ taps }, i) => {
    const away = taps.map((row) => Math.abs(row[0] + row[row.length - 1] - 2 * place[i]));
    return away.indexOf(Math.min(...away));
  });
  return ravel(at, answer.shape);
}

/** What padding is called, which depends on who reads it. @param {Question} asked @param {Square} square */
export function paddingName({ op, divisor }, { kind }) {
  if (op === "max") return "-inf";
  if (op === "min") return "inf";
  return op !== "avg" ? "0" : divisor === "window" || (divisor === "padded" && kind === "padding") ? "0, counted" : "ignored";
}
