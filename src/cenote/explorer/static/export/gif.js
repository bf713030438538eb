// Animated GIF, as GIF89a describes it: one palette, frames that hold the rows with what changed, and LZW.

const SAME = 255; // the number of no colour: "as before"
const [CLEAR, END, FULL] = [256, 257, 4096];
const CHANNELS = [16, 8, 0]; // where red, green and blue lie in 0xRRGGBB

/** @param {number} colour @param {number} channel */
function part(colour, channel) {
  return (colour >> channel) & 255;
}

/**
 * At most 255 colours, as 0xRRGGBB, for RGBA pixels: their own if they are few; otherwise boxes of colours are halved,
 * the widest first. `kept` stay as they are: thin marks must not be mixed into what is frequent.
 * @param {Uint8ClampedArray} rgba @param {number[]} kept
 */
export function palette(rgba, kept) {
  const found = new Set(kept);
  for (let i = 0; i < rgba.length; i += 4) found.add((rgba[i] << 16) | (rgba[i + 1] << 8) | rgba[i + 2]);
  if (found.size <= SAME) return [...found];
  const boxes = [measured([...found])];
  while (boxes.length < SAME - kept.length) {
    boxes.sort((a, b) => b.width - a.width);
    const [{ colours, channel, width, middle }] = boxes;
    if (!width) break;
    boxes.splice(
      0,
      1,
      ...[true, false].map((low) => measured(colours.filter((colour) => part(colour, channel) <= middle === low))),
    );
  }
  return [...kept, ...boxes.map(({ colours }) => mean(colours))];
}

/** A box of colours with its longest side. @param {number[]} colours */
function measured(colours) {
  const sides = CHANNELS.map((channel) => {
    const parts = Uint8Array.from(colours, (colour) => part(colour, channel)).sort();
    const [low, high] = [parts[0], parts[parts.length - 1]];
    return { colours, channel, width: high - low, middle: (low + high) >> 1 };
  });
  return sides.sort((a, b) => b.width - a.width)[0];
}

/** @param {number[]} colours */
function mean(colours) {
  const of = (/** @type {number} */ channel) =>
    Math.round(colours.reduce((sum, colour) => sum + part(colour, channel), 0) / colours.length);
  return CHANNELS.reduce((all, channel) => all | (of(channel) << channel), 0);
}

/**
 * Frames are added one by one.
 * @param {number} width @param {number} height @param {number[]} colours @param {number} delay of a frame in milliseconds
 */
export function animation(width, height, colours, delay) {
  const words = (/** @type {number[]} */ ...numbers) => numbers.flatMap((number) => [number & 255, number >> 8]);
  const letters = (/** @type {string} */ text) => new TextEncoder().encode(text);
  const table = Array.from({ length: 3 * 256 }, (_, i) => part(colours[Math.floor(i / 3)], CHANNELS[i % 3]));
  const head = [...letters("GIF89a"), ...words(width, height), 0xf7, 0, 0, ...table];
  const parts = [Uint8Array.of(...head, 0x21, 0xff, 11, ...letters("NETSCAPE2.0"), 3, 1, 0, 0, 0)];
  const numbers = new Map(colours.map((colour, i) => [colour, i]));
  let before = new Uint32Array();
  return {
    /** @param {Uint8ClampedArray} pixels RGBA */
    add(pixels) {
      const rgba = new Uint32Array(pixels.slice().buffer);
      const changed = new Uint8Array(width * height).fill(SAME);
      const first = Math.max(0, rgba.findIndex((one, i) => one !== before[i]));
      let last = 0;
      rgba.forEach((one, i) => {
        if (before[i] === one) return;
        changed[i] = nearest(numbers, colours, (pixels[4 * i] << 16) | (pixels[4 * i + 1] << 8) | pixels[4 * i + 2]);
        last = i;
      });
      before = rgba;
      const [top, end] = [Math.floor(first / width), Math.floor(last / width) + 1];
      const place = words(0, top, width, end - top);
      parts.push(
        Uint8Array.of(0x21, 0xf9, 4, 0x05, ...words(Math.round(delay / 10)), SAME, 0, 0x2c, ...place, 0, 8),
        compressed(changed.subarray(top * width, end * width)),
      );
    },
    file: () => new Blob([.../** @type {any[]} */ (parts), Uint8Array.of(0x3b)], { type: "image/gif" }),
  };
}

/** The number of a colour, or of the one that is least far from it. @param {Map<number, number>} numbers @param {number[]} colours @param {number} colour */
function nearest(numbers, colours, colour) {
  let found = numbers.get(colour);
  if (found === undefined) {
    const far = colours.map((other) =>
      CHANNELS.reduce((sum, channel) => sum + (part(colour, channel) - part(other, channel)) ** 2, 0),
    );
    found = far.indexOf(Math.min(...far));
    numbers.set(colour, found);
  }
  return found;
}

/** LZW with codes of 9 to 12 bits, in blocks of up to 255 bytes. @param {Uint8Array} indices */
function compressed(indices) {
  /** @type {number[]} */
  const bytes = [];
  let [bits, held, size, next] = [0, 0, 9, END + 1];
  let codes = new Map();
  const emit = (/** @type {number} */ code) => {
    bits |= code << held;
    for (held += size; held >= 8; held -= 8, bits >>= 8) bytes.push(bits & 255);
  };
  emit(CLEAR);
  let prefix = indices[0];
  for (const index of indices.subarray(1)) {
    const key = (prefix << 8) | index;
    const code = codes.get(key);
    if (code === undefined) {
      emit(prefix);
      if (next === FULL) {
        emit(CLEAR);
        [size, next, codes] = [9, END + 1, new Map()];
      } else {
        if (next >= 1 << size) size++;
        codes.set(key, next++);
      }
    }
    prefix = code ?? index;
  }
  emit(prefix);
  emit(END);
  bytes.push(bits);
  /** @type {number[]} */
  const blocks = [];
  for (let at = 0; at < bytes.length; at += 255) blocks.push(Math.min(255, bytes.length - at), ...bytes.slice(at, at + 255));
  return Uint8Array.from([...blocks, 0]);
}
