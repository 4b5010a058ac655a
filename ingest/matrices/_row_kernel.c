/* One look at each row of a block of probabilities, in a single pass: what app/domain/confident_learning/row_scores.py does in several.

   Scores are the same to the last bit. Sums of rows are not, nor need they be: they only tell which rows are doubtful.
   Numbers are compared as the unsigned integers with the same bits, as there. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

/* The same functions once more for wider registers, chosen when the module is loaded. */
#if defined(__GNUC__) && defined(__x86_64__) && defined(__GLIBC__)
#define FOR_EACH_WIDTH __attribute__((target_clones("avx2", "default")))
#else
#define FOR_EACH_WIDTH
#endif

/* Numbers of a row that are added up in their own precision: few enough for rounding not to matter. */
#define PIECE 256

/* Numbers among which the largest is looked for at a time. */
#define STRETCH 64

typedef struct {
    Py_ssize_t n, m;
    const int64_t *labels;
    void *block, *own, *other, *rival;
    Py_ssize_t rival_size;
    uint8_t *doubtful;
    double bound;
} Look;

/* Half precision, shifted into the bits of single precision: too small by 2**112. */
static float value16(uint16_t bits)
{
    const uint32_t shifted = (uint32_t)bits << 13;
    float value;
    memcpy(&value, &shifted, sizeof value);
    return value;
}

static float value32(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double value64(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void put(const Look *look, Py_ssize_t row, int64_t class_id)
{
    switch (look->rival_size) {
    case 1:
        ((uint8_t *)look->rival)[row] = (uint8_t)class_id;
        break;
    case 2:
        ((uint16_t *)look->rival)[row] = (uint16_t)class_id;
        break;
    default:
        ((uint32_t *)look->rival)[row] = (uint32_t)class_id;
    }
}

#define NAME look16
#define BITS uint16_t
#define FLOAT float
#define VALUE value16
#define SCALE 0x1p112
#define ONE 0x3C00u
#define QUARTER (2u << 10)
#include "_row_kernel.h"

#define NAME look32
#define BITS uint32_t
#define FLOAT float
#define VALUE value32
#define SCALE 1
#define ONE 0x3F800000u
#define QUARTER (2u << 23)
#include "_row_kernel.h"

#define NAME look64
#define BITS uint64_t
#define FLOAT double
#define VALUE value64
#define SCALE 1
#define ONE UINT64_C(0x3FF0000000000000)
#define QUARTER (UINT64_C(2) << 52)
#include "_row_kernel.h"

/* Whether all sizes are those of n rows of m numbers. */
static int fits(const Look *look, Py_ssize_t itemsize, const Py_buffer *views)
{
    const Py_ssize_t n = look->n, m = look->m;
    return (itemsize == 2 || itemsize == 4 || itemsize == 8) && m > 0 &&
           (look->rival_size == 1 || look->rival_size == 2 || look->rival_size == 4) &&
           views[0].len == n * (Py_ssize_t)sizeof(int64_t) && views[1].len / itemsize / m == n &&
           views[1].len == n * m * itemsize && views[2].len == n * itemsize && views[3].len == n * itemsize &&
           views[4].len == n * look->rival_size && views[5].len == n;
}

static int are_classes(const Look *look)
{
    uint64_t most = 0;
    for (Py_ssize_t i = 0; i < look->n; i++)
        most = (uint64_t)look->labels[i] > most ? (uint64_t)look->labels[i] : most;
    return most < (uint64_t)look->m;
}

static PyObject *look_at(Look *look, Py_ssize_t itemsize, const Py_buffer *views)
{
    Py_ssize_t n_doubtful = 0;
    int valid;
    if (!fits(look, itemsize, views)) {
        PyErr_SetString(PyExc_ValueError, "expected arrays of one number of rows, found others");
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    valid = are_classes(look);
    if (valid && look->n)
        n_doubtful = itemsize == 2 ? look16(look) : itemsize == 4 ? look32(look) : look64(look);
    Py_END_ALLOW_THREADS
    if (!valid) {
        PyErr_Format(PyExc_IndexError, "expected labels from 0 to %zd, found others", look->m - 1);
        return NULL;
    }
    return PyLong_FromSsize_t(n_doubtful);
}

static PyObject *look(PyObject *module, PyObject *arguments)
{
    Py_buffer views[6];
    Look it;
    Py_ssize_t itemsize;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "(nnnn)dy*w*w*w*w*w*:look", &it.n, &it.m, &itemsize, &it.rival_size, &it.bound,
                          &views[0], &views[1], &views[2], &views[3], &views[4], &views[5]))
        return NULL;
    it.labels = views[0].buf;
    it.block = views[1].buf;
    it.own = views[2].buf;
    it.other = views[3].buf;
    it.rival = views[4].buf;
    it.doubtful = views[5].buf;
    PyObject *found = look_at(&it, itemsize, views);
    for (int i = 0; i < 6; i++)
        PyBuffer_Release(&views[i]);
    return found;
}

static PyMethodDef methods[] = {
    {"look", look, METH_VARARGS, "Score rows into arrays; the number of doubtful ones. See ingest.matrices.row_kernel."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_row_kernel", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__row_kernel(void)
{
    return PyModule_Create(&definition);
}
