// Rows that were computed side by side in scratch memory go to where a result lies.
#pragma once

// n elements of memory from staged ones, N at a time: give(i) is elements i to i + N of the stage.
template <class Out, int N, class Give>
void put(char* out, int64_t n, bool past_caches, const Give& give) {
    using W = Vec<Out, N>;
    constexpr int64_t item = sizeof(Out);
    int64_t i = 0;
    if constexpr (sizeof(W) >= 16) {
        const auto astray = static_cast<int64_t>(-reinterpret_cast<uintptr_t>(out) & (sizeof(W) - 1));
        if (past_caches && astray % item == 0 && n >= 4 * N) {
            i = astray / item;
            if (i > 0) store_part(out, give(int64_t{0}), i);
            for (; i + N <= n; i += N) stream(out + i * item, give(i));
        }
    }
    for (; i + N <= n; i += N) store(out + i * item, give(i));
    if (i < n) store_part(out + i * item, give(i), n - i);
}

// Where the rows of a tile go: `rows` of them, `wide` cells of c elements each.
struct Sink {
    char* first;
    int64_t row, cell;  // bytes from row to row, from cell to cell
    int64_t item;
};

// write(i, n, out): n staged elements from the i-th on. Rows follow one another without a gap in the stage.
template <class Write>
void flush(const Sink& to, int64_t rows, int64_t wide, int64_t c, Scratch& scratch, const Write& write) {
    const int64_t line = wide * c;
    if (to.cell == c * to.item || wide == 1) {
        if (rows == 1 || to.row == line * to.item) return write(int64_t{0}, rows * line, to.first);
        for (int64_t r = 0; r < rows; ++r) write(r * line, line, to.first + r * to.row);
        return;
    }
    char* whole = scratch.get<char>(Scratch::kRaw, line * to.item);
    for (int64_t r = 0; r < rows; ++r) {
        write(r * line, line, whole);
        for (int64_t i = 0; i < wide; ++i) {
            char* cell = to.first + r * to.row + i * to.cell;
            if (c == 1)
                copy_item(cell, whole + i * to.item, to.item);
            else
                std::memcpy(cell, whole + i * c * to.item, static_cast<size_t>(c * to.item));
        }
    }
}
