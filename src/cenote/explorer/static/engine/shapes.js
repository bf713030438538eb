// Shapes on paper: the arithmetic of an output length with its numbers, and a stack of layers walked through.

import { extent, outputLength, product } from "./windows.js";

/**
 * @typedef {import("./windows.js").Rule} Rule
 * @typedef {import("./windows.js").Slide} Slide
 *
 * @typedef {object} Layer  a convolution has channels and a pooling has none of its own
 * @property {string} name
 * @property {Rule[]} rules
 * @property {number | null} channels  a convolution's outputs
 *
 * @typedef {object} Step
 * @property {string} name
 * @property {number[]} input
 * @property {number[]} output
 * @property {string[]} arithmetic
 * @property {number[]} receptive
 * @property {(number | null)[]} jump  null where bins lie at unequal distances
 * @property {number} channels
 * @property {number} parameters
 * @property {number} multiplyAdds
 * @property {number} bytes  of the output in float32
 */

/** The output length of one axis, with its numbers. @param {Rule} rule @param {number} length */
export function arithmetic(rule, length) {
  const count = outputLength(rule, length);
  if (rule.kind === "split") return `${length} in ${count} part${count > 1 ? "s" : ""} = ${count}`;
  const { size, stride, dilation, pad, ceil } = rule;
  if (typeof pad === "string") return `ceil(${length}/${stride}) = ${count}`;
  const [lo, hi] = pad;
  const cells = dilation === 1 ? size : `((${size} - 1)*${dilation} + 1)`;
  const before = Math.ceil((length + lo + hi - extent(rule)) / stride) + 1;
  const less = ceil && before !== count ? `${before}, less 1 window that would start in the right padding = ` : "";
  return `${ceil ? "ceil" : "floor"}((${length} + ${lo} + ${hi} - ${cells})/${stride}) + 1 = ${less}${count}`;
}

/**
 * Layers one after the other. Receptive field r and jump j grow by r += (extent - 1) j and j *= stride.
 * @param {number[]} lengths @param {number} channels @param {Layer[]} layers @returns {Step[]}
 */
export function walk(lengths, channels, layers) {
  const whole = lengths;
  let receptive = lengths.map(() => 1);
  let jump = /** @type {(number | null)[]} */ (receptive);
  return layers.map(({ name, rules, channels: filters }) => {
    const input = lengths;
    /** @template T @param {(rule: Rule, length: number) => T} find */
    const each = (find) => rules.map((rule, i) => find(rule, input[i]));
    lengths = each(outputLength);
    const paces = each(pace);
    receptive = receptive.map((field, i) => (jump[i] ? field + Math.max(0, paces[i][0] - 1) * jump[i] : whole[i]));
    jump = jump.map((distance, i) => (distance ?? 0) * paces[i][1] || null);
    const places = product(lengths);
    const weights = filters ? channels * filters * product(rules.map((rule) => /** @type {Slide} */ (rule).size)) : 0;
    channels = filters ?? channels;
    return {
      name,
      input,
      output: lengths,
      arithmetic: each(arithmetic),
      receptive,
      jump,
      channels,
      parameters: weights + (filters ?? 0),
      multiplyAdds: weights * places,
      bytes: 4 * channels * places,
    };
  });
}

/**
 * Cells under the widest window, and from one window to the next: 0 where the distances differ.
 * @param {Rule} rule @param {number} length @returns {[number, number]}
 */
export function pace(rule, length) {
  if (rule.kind === "slide") return [extent(rule), rule.stride];
  const { parts } = rule;
  const widest = Math.ceil((parts - gcd(length, parts) + length) / parts);
  return [widest, length % parts > 1 ? 0 : Math.floor(length / parts)];
}

/** @param {number} a @param {number} b @returns {number} */
function gcd(a, b) {
  return b ? gcd(b, a % b) : a;
}
