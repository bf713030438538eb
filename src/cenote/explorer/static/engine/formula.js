// One window in words: the formula with its numbers, why that divisor, who won and why.

import { cellsOf, ties, unravel } from "./pooling.js";
import { spelled } from "./arrays.js";
import { product } from "./windows.js";

/**
 * @typedef {import("./pooling.js").Question} Question
 * @typedef {import("./pooling.js").Answer} Answer
 */

const MOST = 12; // numbers that a reader still reads

/** A number as people write it. @param {number} value @param {number} digits that count */
export function shown(value, digits = 4) {
  const word = spelled(value);
  const size = Math.abs(value);
  if (typeof word === "string" || (Number.isInteger(value) && size < 1e6)) return String(word);
  const text = size >= 1e6 || size < 1e-4 ? value.toExponential(digits - 2) : value.toPrecision(digits);
  return text.replace(/\.0+$|(\.\d*[1-9])0+$/, "$1");
}

/** The formula of one output. @param {Question} asked @param {Answer} answer @param {number} flat */
export function formula(asked, answer, flat) {
  return `${term(asked, answer, flat)} = ${shown(answer.values[flat])}`;
}

/** @param {Question} asked @param {Answer} answer @param {number} flat */
function term(asked, answer, flat) {
  const { op, p } = asked;
  const all = cellsOf(asked, answer, flat).map((cell) => shown(asked.values[cell]));
  const numbers = all.length > MOST ? [...all.slice(0, MOST - 2), "...", ...all.slice(-1)] : all;
  const sum = (/** @type {string[]} */ texts) => texts.join(" + ") || "0";
  if (answer.winners) return `${op}(${numbers.join(", ")})`;
  if (answer.divisors) return `(${sum(numbers)}) / ${shown(answer.divisors[flat])}`;
  if (op === "sum") return sum(numbers);
  const plain = p === 1 || p === Infinity;
  const sizes = numbers.map((text) => (text === "..." ? text : `|${text}|${plain ? "" : `^${shown(p)}`}`));
  if (p === Infinity) return `max(${sizes.join(", ")})`;
  return plain ? sum(sizes) : `(${sum(sizes)})^(1/${shown(p)})`;
}

/** Why the result is what it is: the divisor of an average, the winner of a tie, a window of nothing.
 * @param {Question} asked @param {Answer} answer @param {number} flat */
export function reason(asked, answer, flat) {
  const { op, values, divisor } = asked;
  const cells = cellsOf(asked, answer, flat);
  if (!cells.length) return `no cell lies in this window: ${op} gives ${shown(answer.values[flat])}`;
  if (answer.winners) {
    const winner = answer.winners[flat];
    if (Number.isNaN(values[winner])) return "a NaN wins; of several the last one is the index";
    const equal = ties(values, cells, winner).length;
    return equal > 1 ? `${equal} cells are equal: the first in reading order wins` : "";
  }
  if (op !== "avg") return cells.some((cell) => Number.isNaN(values[cell])) ? "a NaN makes the result NaN" : "";
  if (typeof divisor === "number") return `divided by ${shown(divisor)}, the number that was asked for`;
  const at = unravel(flat, answer.shape);
  const window = product(answer.axes.map(({ taps }, i) => taps[at[i]].length));
  const padded = product(answer.axes.map((axis, i) => axis.padded[at[i]]));
  if (cells.length === window) return `all ${window} taps are cells`;
  if (divisor === "inside") return `${cells.length} of ${window} taps are cells; padding does not count`;
  if (divisor === "window") return `always the ${window} taps of the window, cells or not`;
  if (padded === window) return `all ${window} taps lie in the padded input: ${window - cells.length} of padding count`;
  return `${padded} of ${window} taps lie in the padded input; what hangs over it does not count`;
}
