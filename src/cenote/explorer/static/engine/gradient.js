// Backward: what every window hands to its cells, added up in row-major order of the outputs.

import { cellsOf } from "./pooling.js";
import { eachWindow } from "./windows.js";

/**
 * @typedef {import("./pooling.js").Question} Question
 * @typedef {import("./pooling.js").Answer} Answer
 */

/**
 * The gradient of the input for an upstream gradient of the outputs.
 * @param {Question} asked @param {Answer} answer @param {ArrayLike<number>} upstream
 */
export function backward(asked, answer, upstream) {
  const received = new Float64Array(asked.values.length);
  if (answer.winners) {
    answer.winners.forEach((winner, flat) => {
      if (winner >= 0) received[winner] += upstream[flat];
    });
    return received;
  }
  eachWindow(answer.axes, asked.shape, (cells, count, flat) => {
    const slope = slopes(asked, answer, flat, upstream[flat], cells, count);
    for (let i = 0; i < count; i++) received[cells[i]] += slope(cells[i]);
    return 0;
  });
  return received;
}

/**
 * What one window hands to each of its cells.
 * @param {Question} asked @param {Answer} answer @param {number} flat of the output @param {number} g its upstream gradient
 * @returns {[number, number][]} flat cell and share
 */
export function shares(asked, answer, flat, g) {
  if (answer.winners) return answer.winners[flat] < 0 ? [] : [[answer.winners[flat], g]];
  const cells = cellsOf(asked, answer, flat);
  const slope = slopes(asked, answer, flat, g, cells, cells.length);
  return cells.map((cell) => [cell, slope(cell)]);
}

/**
 * What a cell of a window receives. Of a norm g * sign(x) * (|x| / y)^(p - 1): nothing where the norm is 0, nor at x = 0
 * for p < 1; for p = inf to the first largest.
 * @param {Question} asked @param {Answer} answer @param {number} flat @param {number} g
 * @param {ArrayLike<number>} cells @param {number} count @returns {(cell: number) => number}
 */
function slopes({ op, values, p }, answer, flat, g, cells, count) {
  const share = g / (answer.divisors?.[flat] ?? 1);
  if (op !== "lp") return () => share;
  const y = answer.values[flat];
  if (y === 0) return () => 0;
  if (p < Infinity) {
    return (cell) => {
      const value = values[cell];
      return value === 0 && p < 1 ? 0 : g * Math.sign(value) * (Math.abs(value) / y) ** (p - 1);
    };
  }
  let first = cells[0];
  for (let i = 1; i < count; i++) {
    const size = Math.abs(values[cells[i]]);
    if (size > Math.abs(values[first]) || Number.isNaN(size)) first = cells[i];
  }
  return (cell) => (cell === first && g !== 0 ? g * Math.sign(values[cell]) : 0);
}

/** How often every cell of the input wins. @param {Answer} answer @param {number} cells */
export function wins(answer, cells) {
  const counts = new Int32Array(cells);
  for (const winner of answer.winners ?? []) if (winner >= 0) counts[winner]++;
  return counts;
}
