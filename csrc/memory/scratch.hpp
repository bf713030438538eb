// Memory that one thread works in. It is kept from call to call: fresh memory costs more than most calls do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

namespace cenote {

class Scratch {
public:
    enum Slot { kRows, kStage, kPlanes, kRaw, kPads, kKept, kDone, kAlong, kPacked, kUnpacked, kSlots };

    Scratch() = default;
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    void swap(Scratch& other) noexcept { std::swap(pieces_, other.pieces_); }
    ~Scratch() {
        for (Piece& piece : pieces_) std::free(piece.data);
    }

    // Room for n elements, its contents unspecified, one slot for each use. 64-byte aligned, but not the start of a
    // page: rows of different slots would fall into the same few lines of the cache.
    template <class T>
    T* get(Slot slot, int64_t n) {
        Piece& piece = pieces_[slot];
        const auto bytes = static_cast<size_t>(n) * sizeof(T) + kSlots * kLine;
        if (piece.size < bytes) {
            std::free(piece.data);
            piece.size = 0;
            const size_t rounded = (bytes + bytes / 4 + 63) / 64 * 64;
            piece.data = std::aligned_alloc(64, rounded);
            if (piece.data == nullptr) throw std::bad_alloc();
            piece.size = rounded;
        }
        return reinterpret_cast<T*>(static_cast<char*>(piece.data) + static_cast<size_t>(slot) * kLine);
    }

    // What a call of unusual size took is given back.
    void trim() {
        for (Piece& piece : pieces_)
            if (piece.size > kKeep) {
                std::free(piece.data);
                piece = {};
            }
    }

private:
    static constexpr size_t kLine = 64, kKeep = size_t{4} << 20;
    struct Piece {
        void* data = nullptr;
        size_t size = 0;
    };
    Piece pieces_[kSlots];
};

// The calling thread's own.
inline Scratch& scratch() {
    static thread_local Scratch own;
    return own;
}

// While it lives, the calling thread's memory is out of reach: a call within a call, as a signal handler may make, finds
// none and takes its own, and the outer one goes on with what it had.
class ScratchAside {
public:
    ScratchAside() { scratch().swap(kept_); }
    ScratchAside(const ScratchAside&) = delete;
    ScratchAside& operator=(const ScratchAside&) = delete;
    ~ScratchAside() { scratch().swap(kept_); }

private:
    Scratch kept_;
};

}  // namespace cenote
