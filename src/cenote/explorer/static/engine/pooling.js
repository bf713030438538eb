// What every window makes of its cells: values, winners, divisors. The meaning of cenote.catalogue, one cell at a time.

import { eachWindow, product, tables } from "./windows.js";

/**
 * @typedef {import("./windows.js").Rule} Rule
 * @typedef {import("./windows.js").Axis} Axis
 * @typedef {"inside" | "padded" | "window" | number} Divisor
 *
 * @typedef {object} Question  one call of pooling
 * @property {string} op  max, min, avg, sum or lp
 * @property {Rule[]} rules  one per axis
 * @property {number[]} shape  one length per axis
 * @property {ArrayLike<number>} values  row-major
 * @property {Divisor} divisor  of averages
 * @property {number} p  of norms; Infinity is the largest absolute value
 * @property {boolean} integers  averages of whole numbers stay whole, rounded half to even
 *
 * @typedef {object} Answer
 * @property {number[]} shape
 * @property {Axis[]} axes
 * @property {Float64Array} values
 * @property {Int32Array | null} winners  the flat cell that won, -1 where a window has none; null if nothing wins
 * @property {Float64Array | null} divisors  of averages
 */

/** All outputs of a call. @param {Question} asked @returns {Answer} */
export function pool(asked) {
  const { op, shape, values } = asked;
  const axes = tables(asked.rules, shape);
  const divisors = op === "avg" ? divisorsOf(asked.divisor, axes) : null;
  const winners = op === "max" || op === "min" ? new Int32Array(product(axes.map(({ taps }) => taps.length))) : null;
  const found = eachWindow(axes, shape, (cells, count, flat) => {
    if (!winners) return combined(asked, cells, count, divisors?.[flat] ?? 1);
    const place = best(op, values, cells, count);
    winners[flat] = place;
    if (place >= 0) return values[place];
    return op === "max" ? -Infinity : Infinity; // what a maximum or minimum of nothing is
  });
  return { ...found, axes, winners, divisors };
}

/** Coordinates of a flat, row-major number. @param {number} flat @param {number[]} shape */
export function unravel(flat, shape) {
  const at = new Array(shape.length);
  for (let i = shape.length - 1; i >= 0; i--) {
    at[i] = flat % shape[i];
    flat = Math.floor(flat / shape[i]);
  }
  return at;
}

/** The flat, row-major number of coordinates. @param {number[]} at @param {number[]} shape */
export function ravel(at, shape) {
  return at.reduce((flat, place, i) => flat * shape[i] + place, 0);
}

/**
 * One entry of every row joined, in every way there is, in row-major order.
 * @template T @template R @param {R[][]} rows @param {T} start @param {(before: T, entry: R, row: number) => T} join
 */
function crossed(rows, start, join) {
  return rows.reduce((found, row, i) => found.flatMap((before) => row.map((entry) => join(before, entry, i))), [start]);
}

/**
 * Flat numbers of the real cells of one window, in row-major order.
 * @param {{shape: number[]}} asked @param {{axes: Axis[], shape: number[]}} answer @param {number} flat of the output
 */
export function cellsOf({ shape }, answer, flat) {
  const at = unravel(flat, answer.shape);
  return crossed(answer.axes.map(({ real }, i) => real[at[i]]), 0, (before, place, i) => before * shape[i] + place);
}

/**
 * Every tap of one window with its coordinates, padding and overhang among them, in row-major order.
 * @param {Axis[]} axes @param {number[]} at @returns {number[][]}
 */
export function tapsOf(axes, at) {
  return crossed(axes.map(({ taps }, i) => taps[at[i]]), /** @type {number[]} */ ([]), (before, place) => [...before, place]);
}

/**
 * The first best cell: a later one wins only if it is better, or NaN. -1 where there is none.
 * @param {string} op @param {ArrayLike<number>} values @param {ArrayLike<number>} cells @param {number} count
 */
function best(op, values, cells, count) {
  const largest = op === "max";
  let found = count ? cells[0] : -1;
  for (let i = 1; i < count; i++) {
    const value = values[cells[i]];
    const wins = largest ? value > values[found] : value < values[found];
    if (wins || Number.isNaN(value)) found = cells[i];
  }
  return found;
}

/** Cells of the window that equal its winner: more than one is a tie.
 * @param {ArrayLike<number>} values @param {number[]} cells @param {number} winner */
export function ties(values, cells, winner) {
  return cells.filter((flat) => values[flat] === values[winner]);
}

/** What the sum of every output is divided by. @param {Divisor} divisor @param {Axis[]} axes */
function divisorsOf(divisor, axes) {
  const counts = axes.map(({ padded, real, taps }) =>
    divisor === "padded" ? padded : (divisor === "inside" ? real : taps).map((row) => row.length),
  );
  const found = Float64Array.from(crossed(counts, 1, (before, count) => before * count));
  return typeof divisor === "number" ? found.fill(divisor) : found;
}

/** @param {Question} asked @param {Int32Array} cells @param {number} count @param {number} by */
function combined({ op, values, p, integers }, cells, count, by) {
  if (!count) return 0;
  if (op === "lp") return norm(values, p, cells, count);
  let total = 0;
  for (let i = 0; i < count; i++) total += values[cells[i]];
  return integers && op === "avg" ? halfEven(total / by) : total / by;
}

/** @param {ArrayLike<number>} values @param {number} p @param {Int32Array} cells @param {number} count */
function norm(values, p, cells, count) {
  let total = 0;
  for (let i = 0; i < count; i++) {
    const size = Math.abs(values[cells[i]]);
    total = p === Infinity ? Math.max(total, size) : total + size ** p; // Math.max is NaN as soon as one of them is
  }
  return p === Infinity ? total : total ** (1 / p);
}

/** The nearest whole number, halves to the even one. @param {number} value */
function halfEven(value) {
  const near = Math.round(value) + 0; // rounds halves up; whole numbers know no -0
  return value - Math.floor(value) === 0.5 && near % 2 ? near - 1 : near;
}
