// Colours of values: one ramp from nothing to much, and one through zero, told apart by lightness alone.

/** @typedef {[number, number, number]} Rgb */

/** Light to dark blue: for values of one sign. @type {Rgb[]} */
const ONE = [[247, 250, 253], [203, 222, 240], [140, 184, 222], [72, 136, 193], [22, 86, 148], [8, 48, 100]];
/** Orange through white to blue. @type {Rgb[]} */
const TWO = [[130, 56, 4], [196, 96, 22], [238, 163, 93], [250, 246, 240], [140, 184, 222], [46, 110, 172], [8, 48, 100]];

/**
 * @typedef {object} Scale  a range that several grids may share
 * @property {number} low
 * @property {number} high
 * @property {boolean} signed
 */

/** The scale of arrays that are looked at together. @param {ArrayLike<number>[]} arrays @returns {Scale} */
export function scaleOf(...arrays) {
  let [low, high] = [0, 0];
  for (const array of /** @type {number[][]} */ (arrays)) {
    for (const value of array) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  const most = Math.max(-low, high);
  return { low: low && -most, high: most || 1, signed: low < 0 };
}

/** Red, green and blue of a value; none for one that is no number. @param {number} value @param {Scale} scale @returns {Rgb | null} */
export function rgb(value, { low, high, signed }) {
  if (Number.isNaN(value)) return null;
  const ramp = signed ? TWO : ONE;
  // Halved first: the range of the largest numbers does not overflow.
  const place = ((Math.max(low, Math.min(high, value)) / 2 - low / 2) / (high / 2 - low / 2 || 1)) * (ramp.length - 1);
  const i = Math.min(ramp.length - 2, Math.floor(place));
  return /** @type {Rgb} */ (ramp[i].map((from, k) => Math.round(from + (place - i) * (ramp[i + 1][k] - from))));
}

/** The same for an attribute, and whether text on it is dark: what gives the larger contrast (WCAG's relative luminance). @param {number} value @param {Scale} scale */
export function ink(value, scale) {
  const found = rgb(value, scale);
  if (!found) return { fill: "none", dark: true };
  const [r, g, b] = found.map((part) => (part <= 10 ? part / 3294 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  // Black or white: nothing between them has 4.5:1 on every colour.
  return { fill: `rgb(${found.join(",")})`, dark: (light + 0.05) ** 2 > 0.0525 };
}
