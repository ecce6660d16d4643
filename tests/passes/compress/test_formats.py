from honed.passes.compress.formats import Format, weight_format
from honed.passes.compress.layers import weight_layers
from honed.passes.compress.recipe import Quantize, QuantizeLayer
from honed.passes.compress.select import Selection

from tests.passes.compress.small_models import cleaned, residual_net


def test_bits_by_section_kind_and_layer_and_through_the_names_of_parts():
    layers = {layer.name: layer for layer in weight_layers(cleaned(residual_net()))}
    section = Quantize(bits=6, pointwise_bits=4)
    overrides = Selection(overrides={"conv1": [QuantizeLayer(bits=5), QuantizeLayer(range="minmax"), QuantizeLayer(bits=3)]})

    def limit(name, origins=None):
        return weight_format(layers[name], section, overrides, origins or {}).limit

    assert [limit("stem"), limit("shortcut"), limit("conv1")] == [31, 7, 3]
    assert limit("shortcut", {"shortcut": "conv1"}) == 3
    assert [Format((1 << bits - 1) - 1).bits for bits in range(2, 9)] == [2, 3, 4, 5, 6, 7, 8]


def test_groups_where_a_multiple_leaves_8_bits():
    layers = {layer.name: layer for layer in weight_layers(cleaned(residual_net()))}
    section = Quantize(pointwise_bits=4, rounding="outputs", group_size=16)
    forms = [weight_format(layers[name], section, Selection(), {}) for name in ("stem", "shortcut")]
    assert [form.group_size for form in forms] == [None, 16]
