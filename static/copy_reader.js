// Reads a visitor's own copy of a dataset in a worker: nothing leaves the browser, and no file is in memory as a whole.
// Takes {files, wanted}; says {done: share} now and then, then {refused: why}, or {pictures: [[index, blob]]} and {read}.
"use strict";

const BLOCK = 512;
const MOST_NAMES = 3;
const LONGEST_NAME = 1 << 16;
const text = new TextDecoder();

class Refused extends Error {}

const count = (n) => n.toLocaleString("en");
const of = (n, one) => `${count(n)} ${one}${n === 1 ? "" : "s"}`;
const base = (path) => path.slice(path.lastIndexOf("/") + 1);
const pathOf = (file) => file.webkitRelativePath || file.name;

let told = 0;
function tell(share) {
  if (Date.now() - told < 100) return;
  told = Date.now();
  postMessage({ done: share });
}

// Files, whole or packed, read from their beginning.

/** A file that is read by slices: what is skipped is never read. */
class Sliced {
  constructor(file) { this.file = file; this.name = file.name; this.at = 0; }
  async read(n) {
    const bytes = new Uint8Array(await this.file.slice(this.at, this.at + n).arrayBuffer());
    this.at += bytes.length;
    tell(this.at / this.file.size);
    return bytes;
  }
  async skip(n) { this.at += n; return this.at <= this.file.size; }
  async blob(n) {
    const part = this.file.slice(this.at, this.at + n);
    this.at += n;
    return part.size === n ? part : null;
  }
}

/** A gzipped file: unpacked as it is read, and what is skipped is let go. */
class Unpacked {
  constructor(file) {
    let packed = 0;
    const counting = new TransformStream({
      transform(part, out) { packed += part.length; tell(packed / file.size); out.enqueue(part); },
    });
    this.name = file.name;
    this.reader = file.stream().pipeThrough(counting).pipeThrough(new DecompressionStream("gzip")).getReader();
    this.rest = new Uint8Array(0);
  }
  async parts(n, take) {
    while (n > 0) {
      if (!this.rest.length) {
        let next;
        try {
          next = await this.reader.read();
        } catch {
          throw new Refused(`${this.name} cannot be unpacked to its end: it is damaged, or cut short.`);
        }
        if (next.done) return false;
        this.rest = next.value;
      }
      const part = this.rest.subarray(0, n);
      take(part);
      this.rest = this.rest.subarray(part.length);
      n -= part.length;
    }
    return true;
  }
  async read(n) {
    const found = [];
    await this.parts(n, (part) => found.push(part));
    return new Uint8Array(await new Blob(found).arrayBuffer());
  }
  skip(n) { return this.parts(n, () => {}); }
  async blob(n) {
    const found = [];
    return await this.parts(n, (part) => found.push(part)) ? new Blob(found) : null;
  }
}

async function opened(file) {
  const start = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  return start[0] === 0x1f && start[1] === 0x8b ? new Unpacked(file) : new Sliced(file);
}

// tar

function octal(header, from, length) {
  if (header[from] & 0x80) return header.slice(from + 1, from + length).reduce((sum, byte) => sum * 256 + byte, 0);
  return Number.parseInt(text.decode(header.subarray(from, from + length)).replace(/[\0 ].*$/s, "").trim() || "0", 8);
}

const words = (header, from, length) => text.decode(header.subarray(from, from + length)).split("\0")[0];

function isHeader(header) {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : header[i];
  return sum === octal(header, 148, 8);
}

const cutShort = (name, member) =>
  new Refused(`${name} is cut short${member ? ` within ${member}` : ": a tar archive ends with a mark, and this one does not"}. Take the whole file.`);

/** Calls ``see(name, size, take)`` for each file of a tar archive; ``take()`` gives its bytes. True from it ends this. */
async function walk(source, see) {
  let named = null;
  for (let first = true; ; first = false) {
    const header = await source.read(BLOCK);
    if (!first && header.length < BLOCK) throw cutShort(source.name);
    if (!first && header.every((byte) => byte === 0)) return;
    if (header.length < BLOCK || !isHeader(header)) {
      throw first ? new Refused(`${source.name} is no tar archive.`) : cutShort(source.name);
    }
    const size = octal(header, 124, 12);
    const padding = (BLOCK - size % BLOCK) % BLOCK;
    const type = String.fromCharCode(header[156] || 48);
    const prefix = words(header, 257, 5) === "ustar" ? words(header, 345, 155) : "";
    if ((type === "L" || type === "x") && size <= LONGEST_NAME) {
      const said = text.decode(await source.read(size));
      named = type === "L" ? said.split("\0")[0] : /^\d+ path=(.*)$/m.exec(said)?.[1] ?? named;
      await source.skip(padding);
      continue;
    }
    const name = named ?? (prefix ? `${prefix}/` : "") + words(header, 0, 100);
    named = null;
    let taken = null;
    const take = async () => {
      taken = await source.blob(size);
      if (!taken) throw cutShort(source.name, name);
      return taken;
    };
    if (type === "0" && await see(name, size, take)) return;
    if (!taken && !await source.skip(size)) throw cutShort(source.name, name);
    await source.skip(padding);
  }
}

// Pictures of pixels, as bitmaps: made without a canvas, which some browsers blur on purpose.

/** A picture of ``side`` x ``side`` pixels; ``colour(place)`` gives [red, green, blue]. */
function bitmap(side, colour) {
  const row = Math.ceil(side * 3 / 4) * 4;
  const bytes = new Uint8Array(54 + row * side);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  for (const [at, value] of [[2, bytes.length], [10, 54], [14, 40], [18, side], [22, -side], [34, row * side]]) {
    view.setInt32(at, value, true);
  }
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  for (let place = 0; place < side * side; place++) {
    const at = 54 + Math.floor(place / side) * row + place % side * 3;
    const [red, green, blue] = colour(place);
    bytes.set([blue, green, red], at);
  }
  return new Blob([bytes], { type: "image/bmp" });
}

// What a file says of examples is compared with the labels here before any picture is shown.

function requireLabels(name, wanted, disagree) {
  const n = wanted.examples.length;
  if (!disagree) return;
  throw new Refused(
    `${name} is not ${wanted.title} as it is here: it gives another label to ${count(disagree)} of ${of(n, "example")} `
    + `(${(100 * disagree / n).toFixed(1)}\u00a0%). Its ${wanted.things} would stand beside wrong labels, so none is shown.`,
  );
}

// CIFAR: all examples in one file, labels and pixels.

const CIFAR = {
  cifar10: { member: "test_batch.bin", labels: 1, take: "cifar-10-binary.tar.gz" },
  cifar100: { member: "test.bin", labels: 2, take: "cifar-100-binary.tar.gz" },
};
const SIDE = 32;
const PIXELS = SIDE * SIDE;

const pickled = (name, take) =>
  new Refused(`${name} is the Python version, made of pickles, and a browser reads none. Take ${take} instead.`);

async function recordsOf(file, kind) {
  if (/python/i.test(file.name)) throw pickled(file.name, kind.take);
  if (/\.bin$/i.test(file.name)) return { name: file.name, blob: file };
  const first = new Uint8Array(await file.slice(0, 1).arrayBuffer())[0];
  if (first === 0x80) throw pickled(file.name, kind.take);
  const names = [];
  let found = null;
  await walk(await opened(file), async (name, size, take) => {
    const own = base(name);
    if (own === kind.member) found = await take();
    else if (own === kind.member.replace(".bin", "")) throw pickled(file.name, kind.take);
    names.push(own);
    return found !== null;
  });
  if (found) return { name: `${kind.member} in ${file.name}`, blob: found };
  const others = names.length ? names.slice(0, MOST_NAMES).join(", ") : "nothing";
  throw new Refused(`${file.name} holds no ${kind.member}; found ${others} in it. Take ${kind.take}.`);
}

async function cifar(files, wanted) {
  const kind = CIFAR[wanted.layout];
  const { name, blob } = await recordsOf(files[0], kind);
  const length = kind.labels + 3 * PIXELS;
  if (blob.size !== wanted.size * length) {
    throw new Refused(
      `${name} has ${of(blob.size, "byte")}; expected ${count(wanted.size * length)}, ${count(length)} for each of `
      + `${of(wanted.size, "example")}.`,
    );
  }
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const labelOf = (index) => bytes[index * length + kind.labels - 1];
  const other = wanted.examples.filter(([index, , given]) => given >= 0 && labelOf(index) !== given);
  requireLabels(name, wanted, other.length);
  return wanted.examples.map(([index]) => {
    const at = index * length + kind.labels;
    const colour = (place) => [bytes[at + place], bytes[at + PIXELS + place], bytes[at + 2 * PIXELS + place]];
    return [index, bitmap(SIDE, colour)];
  });
}

// QuickDraw: a file of drawings for each class; examples are numbered through them in the order of their names.

const DRAWING = 28;

async function drawingsIn(file) {
  const start = new Uint8Array(await file.slice(0, 1024).arrayBuffer());
  const long = start[6] === 1 ? 2 : 4;
  const isArray = text.decode(start.subarray(1, 6)) === "NUMPY" && start[0] === 0x93;
  const view = new DataView(start.buffer);
  const from = isArray ? 8 + long + (long === 2 ? view.getUint16(8, true) : view.getUint32(8, true)) : 0;
  const shape = /'shape':\s*\((\d+),\s*784\)/.exec(text.decode(start.subarray(8, Math.min(from, 1024))));
  const header = text.decode(start.subarray(8, Math.min(from, 1024)));
  if (!shape || !/'descr':\s*'[|<>]?u1'/.test(header) || !/'fortran_order':\s*False/.test(header)) {
    throw new Refused(`${file.name} is no file of drawings: expected a .npy of rows of 784 bytes.`);
  }
  const rows = Number(shape[1]);
  if (file.size !== from + rows * DRAWING * DRAWING) {
    throw new Refused(`${file.name} has ${of(file.size, "byte")}; expected ${count(from + rows * DRAWING * DRAWING)}: it is cut short.`);
  }
  return { file, from, rows, name: file.name.replace(/^full_numpy_bitmap_/, "").replace(/\.npy$/i, "") };
}

async function quickdraw(files, wanted) {
  const arrays = files.filter((file) => /^[^.].*\.npy$/i.test(file.name));
  if (!arrays.length) throw new Refused("There is no .npy file in that folder. Choose numpy_bitmap.");
  arrays.sort((a, b) => (a.name < b.name ? -1 : 1));
  const found = [];
  let total = 0;
  for (const file of arrays) {
    const one = await drawingsIn(file);
    found.push({ ...one, start: total });
    total += one.rows;
  }
  if (wanted.size !== null && total !== wanted.size) {
    throw new Refused(
      `Expected ${of(wanted.size, "drawing")} in all, found ${count(total)} in ${of(found.length, "file")}. Examples are `
      + "numbered through the files of all classes, so none may be missing.",
    );
  }
  const holding = (index) => found.findLast((one) => one.start <= index);
  const other = wanted.examples.filter(([index, , given]) => given >= 0 && holding(index)?.name !== wanted.classes[given]);
  requireLabels("That folder", wanted, other.length);
  const pictures = [];
  for (const [index] of wanted.examples) {
    const { file, from, start } = holding(index);
    const at = from + (index - start) * DRAWING * DRAWING;
    const ink = new Uint8Array(await file.slice(at, at + DRAWING * DRAWING).arrayBuffer());
    pictures.push([index, bitmap(DRAWING, (place) => Array(3).fill(255 - ink[place]))]);
    tell(pictures.length / wanted.examples.length);
  }
  return pictures;
}

// ImageNet and Caltech-256: a file for each example, found by its name.

const isPicture = async (blob) => {
  const start = [...new Uint8Array(await blob.slice(0, 4).arrayBuffer())].join();
  return start.startsWith("255,216,255") || start === "137,80,78,71" || start === "71,73,70,56";
};

/** The ends of a path, with and without the ending of the file: "a/b/c.jpg" may be "c", "c.jpg", "b/c" ... */
function* spellings(path) {
  const parts = path.split("/");
  for (let n = 1; n <= parts.length; n++) {
    const end = parts.slice(-n).join("/");
    yield end;
    yield end.replace(/\.[^./]+$/, "");
  }
}

const KIND = { jpg: "image/jpeg", jpeg: "image/jpeg", png: "image/png", gif: "image/gif" };

async function named(files, wanted) {
  const byKey = new Map(wanted.examples.filter(([, key]) => key !== null).map((one) => [one[1], one]));
  if (!byKey.size) throw new Refused("The names of the files are not in this catalogue, so a copy cannot be told apart.");
  const found = new Map();
  const see = async (path, take) => {
    if (base(path).startsWith("._")) return;
    let key;
    for (const one of spellings(path)) if (byKey.has(one)) { key = one; break; }
    if (key === undefined) return;
    if (found.has(key)) throw new Refused(`${found.get(key).path} and ${path} have the same name. Choose a folder with one of them.`);
    found.set(key, { path, blob: await take() });
  };
  const inFolder = files[0].webkitRelativePath !== "";
  const isArchive = inFolder ? /\.(tar|tgz|gz)$/i.test(files[0].name) : !/\.(jpe?g|png|gif)$/i.test(files[0].name);
  const packed = files.length === 1 && isArchive;
  const name = packed ? files[0].name : "That folder";
  if (packed) await walk(await opened(files[0]), (path, size, take) => see(path, take));
  else for (const file of files) await see(pathOf(file), async () => file);
  const [[sample]] = byKey;
  if (!found.size) {
    throw new Refused(`${name} holds none of the ${of(byKey.size, "file")} looked for, such as ${sample}.`);
  }
  requireLabels(name, wanted, disagreeing(found, byKey));
  const pictures = [];
  for (const [key, { path, blob }] of found) {
    if (await isPicture(blob)) {
      const ending = /\.([^./]+)$/.exec(path)?.[1].toLowerCase();
      pictures.push([byKey.get(key)[0], blob.slice(0, blob.size, KIND[ending] ?? "image/jpeg")]);
    }
  }
  return pictures;
}

/** How many examples are in a folder of another class, where folders stand for classes, as n01440764 and 001.ak47 do. */
function disagreeing(found, byKey) {
  const placed = [];
  for (const [key, { path }] of found) {
    const folder = path.split("/").at(-2) ?? "";
    const given = byKey.get(key)[2];
    if (given < 0 || !/^(n\d{8}|\d{3}\..+)$/.test(folder)) continue;
    placed.push([folder, given]);
  }
  return minority(placed);
}

/** How many of [what a file says, given class] have another class than most for which the file says the same. */
function minority(placed) {
  const votes = new Map();
  for (const [said, given] of placed) {
    const tally = votes.get(said) ?? votes.set(said, new Map()).get(said);
    tally.set(given, (tally.get(given) ?? 0) + 1);
  }
  const most = (tally) => [...tally].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
  return placed.filter(([said, given]) => most(votes.get(said)) !== given).length;
}

// Amazon Reviews: a text in each line, behind its label, as fastText reads them.

const LINE_END = 10;
const LONGEST_LINE = 8 << 20;
const LABELLED = /^(?:__label__(\S+)\s+)+/;

/** The parts of a file, unpacked. */
async function* partsOf(file) {
  const start = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  let read = 0;
  const counting = new TransformStream({
    transform(part, out) { read += part.length; tell(read / file.size); out.enqueue(part); },
  });
  const stream = file.stream().pipeThrough(counting);
  const packed = start[0] === 0x1f && start[1] === 0x8b;
  const reader = (packed ? stream.pipeThrough(new DecompressionStream("gzip")) : stream).getReader();
  for (;;) {
    let next;
    try {
      next = await reader.read();
    } catch {
      throw new Refused(`${file.name} cannot be unpacked to its end: it is damaged, or cut short.`);
    }
    if (next.done) return;
    yield next.value;
  }
}

/** The lines of the examples, in ascending order of their numbers, and how many lines there are in all. */
async function linesOf(file, numbers) {
  const found = new Map();
  let number = 0;
  let line = []; // the parts of a line that is looked for
  let length = 0;
  let next = 0;
  let open = false;
  const close = () => {
    if (number === numbers[next]) {
      found.set(number, new Blob(line));
      next += 1;
    }
    number += 1;
    open = false;
    length = 0;
    line = [];
  };
  for await (const part of partsOf(file)) {
    if (number === 0 && !open && !/^__label__/.test(text.decode(part.subarray(0, 64)))) {
      throw new Refused(
        `${file.name} is no file of reviews in lines: expected __label__ at its beginning, found `
        + `“${text.decode(part.subarray(0, 20)).replace(/[^ -~]/g, "?")}”. Take amazon5core.preprocessed.txt.`,
      );
    }
    for (let from = 0; ;) {
      const end = part.indexOf(LINE_END, from);
      const to = end < 0 ? part.length : end;
      if (number === numbers[next]) {
        length += to - from;
        if (length > LONGEST_LINE) throw new Refused(`Line ${count(number + 1)} of ${file.name} is longer than any review.`);
        line.push(part.slice(from, to));
      }
      if (end < 0) {
        open ||= to > from;
        break;
      }
      close();
      from = end + 1;
    }
  }
  if (open) close();
  return { found, number };
}

async function reviews(files, wanted) {
  const [file] = files;
  const { found, number } = await linesOf(file, wanted.examples.map(([index]) => index));
  if (wanted.size !== null && number !== wanted.size) {
    const why = number < wanted.size ? "it is cut short, or another file" : "it is another file";
    throw new Refused(`${file.name} has ${of(number, "line")}; expected ${count(wanted.size)}, one an example: ${why}.`);
  }
  const placed = [];
  const texts = [];
  for (const [index, , given] of wanted.examples) {
    const line = (await found.get(index)?.text())?.replace(/\r$/, "");
    if (line === undefined) continue;
    const label = LABELLED.exec(line);
    if (given >= 0) placed.push([label?.[1], given]);
    texts.push([index, new Blob([label ? line.slice(label[0].length) : line], { type: "text/plain" })]);
  }
  requireLabels(file.name, wanted, minority(placed));
  return texts;
}

const LAYOUTS = { cifar10: cifar, cifar100: cifar, "quickdraw-bitmaps": quickdraw, "imagenet-val": named, caltech256: named, "amazon-lines": reviews };
const AT_ONCE = 64;

self.addEventListener("message", async ({ data: { files, wanted } }) => {
  try {
    const pictures = await LAYOUTS[wanted.layout](files, wanted);
    for (let at = 0; at < pictures.length; at += AT_ONCE) postMessage({ pictures: pictures.slice(at, at + AT_ONCE) });
    postMessage({ read: { found: pictures.length, of: wanted.examples.length, name: files.length === 1 ? files[0].name : pathOf(files[0]).split("/")[0] } });
  } catch (error) {
    const why = error instanceof Refused ? error.message : `It could not be read: ${error.message}.`;
    postMessage({ refused: why });
  }
});
