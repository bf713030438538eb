// The input moved by a few cells: what an output owes to where things are.

import { pool } from "./pooling.js";
import { eachWindow, range, tables } from "./windows.js";

/**
 * @typedef {import("./pooling.js").Question} Question
 */

/**
 * The input moved by so many cells along each axis: down, and to the right.
 * @param {ArrayLike<number>} values @param {number[]} shape @param {number[]} by
 * @param {"circular" | "zero" | "edge"} border what comes in: what left on the other side, zeros, or the edge again
 */
export function moved(values, shape, by, border) {
  const axes = shape.map((length, axis) => ({
    real: range(length, (to) => {
      const at = to - by[axis];
      if (border === "zero") return at < 0 || at >= length ? [] : [at];
      return [border === "edge" ? Math.min(Math.max(at, 0), length - 1) : ((at % length) + length) % length];
    }),
  }));
  return first(axes, shape, values);
}

/** The first cell of every window; 0 where it has none.
 * @param {{real: number[][]}[]} axes @param {number[]} shape @param {ArrayLike<number>} values */
function first(axes, shape, values) {
  return eachWindow(axes, shape, (cells, count) => (count ? values[cells[0]] : 0)).values;
}

/**
 * How much of a result is still there after a shift, for several ways to pool with the same windows.
 * "strided" takes the first cell of every window: what remains when nothing is pooled.
 * `same` is the share of equal numbers, `change` the size of the difference by that of the numbers themselves.
 * @param {Question} asked @param {number[]} by @param {"circular" | "zero" | "edge"} border
 * @returns {{op: string, before: Float64Array, after: Float64Array, same: number, change: number}[]}
 */
export function compared(asked, by, border) {
  const { rules, shape, values } = asked;
  const arrays = [values, moved(values, shape, by, border)];
  return ["max", "avg", "strided"].map((op) => {
    const [before, after] = arrays.map((seen) => {
      if (op === "strided") return first(tables(rules, shape), shape, seen);
      return pool({ ...asked, values: seen, op, divisor: "inside" }).values;
    });
    const same = before.filter((value, i) => Object.is(value, after[i])).length / before.length;
    const apart = size(before.map((value, i) => value - after[i]));
    return { op, before, after, same, change: apart && apart / size(before) };
  });
}

/** @param {Float64Array} values */
function size(values) {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}
