/* The transforms of one row or column, over vectors of tiles. F(2x2, 3x3) interpolates at 0, +-1 and infinity, F(4x4, 3x3) at 0, +-a, +-b
 * and infinity with a = 3/4, b = 3/2, F(4x4, 4x4) at 0, +-c, +-d and +-e with c = 1/2, d = 9/8, e = 3:
 *
 *   F(4x4, 3x3)   A' = 1 1  1  1  1  0    B' = a2b2    0  -a2-b2      0  1  0    G = 1/a2b2          0          0
 *                      0 a -a  b -b  0            0 -ab2    -b2       a  1  0        g       g a        g a2
 *                      0 a2 a2 b2 b2 0            0  ab2    -b2      -a  1  0        g      -g a        g a2
 *                      0 a3 -a3 b3 -b3 1          0 -a2b    -a2       b  1  0        h       h b        h b2
 *                                                 0  a2b    -a2      -b  1  0        h      -h b        h b2
 *                                                 0 a2b2      0  -a2-b2  0  1        0          0          1
 *   with g = 1 / 2 a2 (a2 - b2), h = 1 / 2 b2 (b2 - a2); xk is x to the power k
 *
 *   F(2x2, 3x3)   A' = 1 1  1 0           B' = -1 0 1 0                          G = -1   0   0
 *                      0 1 -1 1                 0 1 1 0                              1/2  1/2 1/2
 *                                               0 -1 1 0                             1/2 -1/2 1/2
 *                                               0 -1 0 1                             0   0   1
 *
 *   F(4x4, 4x4)   A' [i] = 0 to the power i, ci, (-c)i, di, (-d)i, ei, (-e)i;  rows of B' are the coefficients of
 *                 (t2 - c2) (t2 - d2) (t2 - e2) and, for +-p of the three, t (t +- p) (t2 - q2) (t2 - r2), q and r being the others;
 *                 rows of G evaluate a filter at the points, over the product of each one's distances from the others */
#ifndef HONED_CONV_WINOGRAD_F32_TRANSFORM_H
#define HONED_CONV_WINOGRAD_F32_TRANSFORM_H

#define POINT_A 0.75f
#define POINT_B 1.5f
#define POINT_C 0.5f
#define POINT_D 1.125f
#define POINT_E 3.0f
#define A2 (POINT_A * POINT_A)
#define B2 (POINT_B * POINT_B)
#define C2 (POINT_C * POINT_C)
#define D2 (POINT_D * POINT_D)
#define E2 (POINT_E * POINT_E)

/* Of tile x tile outputs from size x size inputs. */
typedef struct form {
  int tile, size;
} form;

/* The rows of B' of +-p, where q2 and r2 are the squares of the other points. */
ALWAYS void transform_input_pair(float p, float q2, float r2, const vf *d, int step, vf *plus, vf *minus) {
  const vf sum = vf_set1(-q2 - r2), product = vf_set1(q2 * r2);
  const vf even = vf_fma(product, d[2 * step], vf_fma(sum, d[4 * step], d[6 * step]));
  const vf odd = vf_mul(vf_set1(p), vf_fma(product, d[step], vf_fma(sum, d[3 * step], d[5 * step])));
  *plus = vf_add(even, odd);
  *minus = vf_sub(even, odd);
}

ALWAYS void transform_input_7(const vf *d, int step, vf *y, int y_step) {
  const vf one = vf_set1(-C2 - D2 - E2), two = vf_set1(C2 * D2 + C2 * E2 + D2 * E2), three = vf_set1(-C2 * D2 * E2);
  y[0] = vf_fma(three, d[0], vf_fma(two, d[2 * step], vf_fma(one, d[4 * step], d[6 * step])));
  transform_input_pair(POINT_C, D2, E2, d, step, &y[y_step], &y[2 * y_step]);
  transform_input_pair(POINT_D, C2, E2, d, step, &y[3 * y_step], &y[4 * y_step]);
  transform_input_pair(POINT_E, C2, D2, d, step, &y[5 * y_step], &y[6 * y_step]);
}

ALWAYS void transform_output_7(const vf *s, int step, vf *y, int y_step) {
  const vf sum_c = vf_add(s[step], s[2 * step]), difference_c = vf_sub(s[step], s[2 * step]);
  const vf sum_d = vf_add(s[3 * step], s[4 * step]), difference_d = vf_sub(s[3 * step], s[4 * step]);
  const vf sum_e = vf_add(s[5 * step], s[6 * step]), difference_e = vf_sub(s[5 * step], s[6 * step]);
  y[0] = vf_add(s[0], vf_add(sum_c, vf_add(sum_d, sum_e)));
  y[y_step] = vf_fma(vf_set1(POINT_E), difference_e, vf_fma(vf_set1(POINT_D), difference_d, vf_mul(vf_set1(POINT_C), difference_c)));
  y[2 * y_step] = vf_fma(vf_set1(E2), sum_e, vf_fma(vf_set1(D2), sum_d, vf_mul(vf_set1(C2), sum_c)));
  y[3 * y_step] =
      vf_fma(vf_set1(E2 * POINT_E), difference_e, vf_fma(vf_set1(D2 * POINT_D), difference_d, vf_mul(vf_set1(C2 * POINT_C), difference_c)));
}

/* y = B' d for the elements d[0], d[step], ... */
ALWAYS void transform_input(int size, const vf *d, int step, vf *y, int y_step) {
  if (size == 7) {
    transform_input_7(d, step, y, y_step);
    return;
  }
  if (size == 4) {
    y[0] = vf_sub(d[2 * step], d[0]);
    y[y_step] = vf_add(d[2 * step], d[step]);
    y[2 * y_step] = vf_sub(d[2 * step], d[step]);
    y[3 * y_step] = vf_sub(d[3 * step], d[step]);
    return;
  }
  const vf sum = vf_set1(-A2 - B2), product = vf_set1(A2 * B2);
  y[0] = vf_fma(product, d[0], vf_fma(sum, d[2 * step], d[4 * step]));
  const vf even_a = vf_fma(vf_set1(-B2), d[2 * step], d[4 * step]);
  const vf odd_a = vf_mul(vf_set1(POINT_A), vf_fma(vf_set1(-B2), d[step], d[3 * step]));
  y[y_step] = vf_add(even_a, odd_a);
  y[2 * y_step] = vf_sub(even_a, odd_a);
  const vf even_b = vf_fma(vf_set1(-A2), d[2 * step], d[4 * step]);
  const vf odd_b = vf_mul(vf_set1(POINT_B), vf_fma(vf_set1(-A2), d[step], d[3 * step]));
  y[3 * y_step] = vf_add(even_b, odd_b);
  y[4 * y_step] = vf_sub(even_b, odd_b);
  y[5 * y_step] = vf_fma(product, d[step], vf_fma(sum, d[3 * step], d[5 * step]));
}

/* y = A' s. */
ALWAYS void transform_output(int size, const vf *s, int step, vf *y, int y_step) {
  if (size == 7) {
    transform_output_7(s, step, y, y_step);
    return;
  }
  const vf sum_a = vf_add(s[step], s[2 * step]), difference_a = vf_sub(s[step], s[2 * step]);
  if (size == 4) {
    y[0] = vf_add(s[0], sum_a);
    y[y_step] = vf_add(difference_a, s[3 * step]);
    return;
  }
  const vf sum_b = vf_add(s[3 * step], s[4 * step]), difference_b = vf_sub(s[3 * step], s[4 * step]);
  y[0] = vf_add(s[0], vf_add(sum_a, sum_b));
  y[y_step] = vf_fma(vf_set1(POINT_B), difference_b, vf_mul(vf_set1(POINT_A), difference_a));
  y[2 * y_step] = vf_fma(vf_set1(B2), sum_b, vf_mul(vf_set1(A2), sum_a));
  const vf cubes = vf_fma(vf_set1(B2 * POINT_B), difference_b, vf_mul(vf_set1(A2 * POINT_A), difference_a));
  y[3 * y_step] = vf_add(cubes, s[5 * step]);
}

#endif
