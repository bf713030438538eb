// A 3 x 3 filter over the image before it is pooled, as a convolution layer applies one: no padding, stride 1, not flipped.

import { eachWindow, tables } from "./windows.js";

/** Kernels, row-major. @type {Record<string, number[]>} */
export const FILTERS = {
  vertical: [-1, 0, 1, -2, 0, 2, -1, 0, 1],
  horizontal: [-1, -2, -1, 0, 0, 0, 1, 2, 1],
  outline: [0, -1, 0, -1, 4, -1, 0, -1, 0],
  blur: [1, 2, 1, 2, 4, 2, 1, 2, 1].map((weight) => weight / 16),
  sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0],
};

/** The windows of a filter. @type {import("./windows.js").Slide} */
export const CONVOLUTION = { kind: "slide", size: 3, stride: 1, dilation: 1, pad: [0, 0], ceil: false };

/**
 * The sum of products at every place where the whole kernel lies inside: 2 cells fewer along each axis.
 * @param {ArrayLike<number>} values @param {number[]} shape @param {number[]} kernel row-major, 3 along each axis
 */
export function convolve(values, shape, kernel) {
  return eachWindow(tables(shape.map(() => CONVOLUTION), shape), shape, (cells, count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += kernel[i] * values[cells[i]];
    return sum;
  });
}
