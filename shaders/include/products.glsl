// The products of a convolution, in either arithmetic. An input plane has WEIGHT_ROWS rows of weights, each with a
// vector for every output plane: the weights of one of its lanes or, in 16 bits, of two.
//   ADD_PRODUCTS(sum, texel, w, pixels, planes)   adds a plane's products to sum[pixels * planes]
// ARITHMETIC_F16: the four products of a plane's lanes are summed in 16 bits, and that in 32. A run of four, because
// then rounding grows neither with the depth of a layer nor with its taps, only four products share the range of 16
// bits, and no sums in 16 bits take registers beside those in 32. Longer runs would save conversions and lose this.
#ifdef ARITHMETIC_F16
const int WEIGHT_ROWS = 2;
FACTORS half_weights(uvec2 words) { return FACTORS(unpackFloat2x16(words.x), unpackFloat2x16(words.y)); }
// What was computed in 32 bits, as it would lie in memory.
FACTORS factors(vec4 v) { return unpack_factors(pack_texel(v)); }
#define ADD_PRODUCTS(sum, texel, w, pixels, planes)                                                 \
    [[unroll]] for (int o = 0; o < planes; ++o) {                                                   \
        const uvec4 low = WEIGHT_WORDS((w) + uint(o)), high = WEIGHT_WORDS((w) + uint(planes + o)); \
        const FACTORS row0 = half_weights(low.xy), row1 = half_weights(low.zw);                     \
        const FACTORS row2 = half_weights(high.xy), row3 = half_weights(high.zw);                   \
        [[unroll]] for (int p = 0; p < pixels; ++p) {                                               \
            FACTORS run = texel[p].x * row0;                                                        \
            run = fma(texel[p].yyyy, row1, run);                                                    \
            run = fma(texel[p].zzzz, row2, run);                                                    \
            sum[p * planes + o] += vec4(fma(texel[p].wwww, row3, run));                             \
        }                                                                                           \
    }
#else
const int WEIGHT_ROWS = 4;
vec4 factors(vec4 v) { return v; }
#define ADD_PRODUCTS(sum, texel, w, pixels, planes)                                                 \
    [[unroll]] for (int lane = 0; lane < 4; ++lane)                                                 \
        [[unroll]] for (int o = 0; o < planes; ++o) {                                               \
            const vec4 weight = WEIGHT((w) + uint(lane * planes + o));                              \
            [[unroll]] for (int p = 0; p < pixels; ++p) sum[p * planes + o] += texel[p][lane] * weight;\
        }
#endif
