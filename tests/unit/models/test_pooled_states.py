"""Heads of classes: pooling over the bases of a sequence, whatever pads it."""

import pytest
import torch


class TestPooledHead:
    """Pooling over the bases of a sequence, whatever pads it."""

    @staticmethod
    def padded(lengths, dim=6, seed=0):
        generator = torch.Generator().manual_seed(seed)
        states = torch.randn(len(lengths), max(lengths), dim, generator=generator)
        inside = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
        return states, inside

    @pytest.mark.parametrize("pool", ["mean", "max", "meanmax", "last", "bins", "attention"])
    @pytest.mark.parametrize("hidden", [0, 8])
    def test_padding_changes_nothing(self, pool, hidden):
        from glmflow.models.heads.class_heads import PooledHead

        torch.manual_seed(1)
        head = PooledHead(6, 3, pool, parts=4, hidden=hidden).eval()
        states, inside = self.padded([9, 5, 3])
        together = head(head.pool(states, inside))
        for row, length in enumerate((9, 5, 3)):
            alone = head(head.pool(states[row : row + 1, :length], inside[row : row + 1, :length]))
            assert torch.allclose(together[row], alone[0], atol=1e-6)
        assert together.shape == (3, 3)

    def test_bins_are_those_of_adaptive_pooling(self):
        from glmflow.models.heads.class_heads import PooledHead

        head = PooledHead(6, 2, "bins", parts=4)
        states, inside = self.padded([10])
        expected = torch.nn.functional.adaptive_avg_pool1d(states.transpose(1, 2), 4).transpose(1, 2).flatten(1)
        assert torch.allclose(head.pool(states, inside), expected, atol=1e-6)

    def test_last_and_meanmax_of_their_definitions(self):
        from glmflow.models.heads.class_heads import PooledHead

        states, inside = self.padded([7, 4])
        assert torch.equal(PooledHead(6, 2, "last").pool(states, inside)[1], states[1, 3])
        both = PooledHead(6, 2, "meanmax").pool(states, inside)
        assert torch.allclose(both[1], torch.cat([states[1, :4].mean(0), states[1, :4].amax(0)]))

    def test_attention_can_be_trained_where_nothing_is_kept(self):
        from glmflow.models.heads.class_heads import PooledHead

        head = PooledHead(6, 2, "attention")
        states, inside = self.padded([7, 4])
        head(head.pool(states, inside)).sum().backward()
        assert not head.caches and head.query.weight.grad.abs().sum() > 0

    @pytest.mark.parametrize(
        "settings", [{}, {"pool": "meanmax"}, {"pool": "bins", "hidden": 8}, {"pool": "attention"}]
    )
    def test_parameters_are_as_many_as_the_plan_says(self, settings):
        from glmflow.config.heads.class_heads import PooledHead as Block
        from glmflow.models.heads import new_head

        block = Block(kind="pooled", **settings)
        head = new_head(block.model_dump(), 6, 3)
        assert sum(p.numel() for p in head.parameters()) == block.parameters(6, 3)

    @pytest.mark.parametrize(("hidden", "bin"), [(0, 1), (64, 1), (8, 4)])
    def test_scores_of_bases_and_bins(self, hidden, bin):
        from glmflow.models.heads.class_heads import BaseHead

        states, _ = self.padded([10])
        assert BaseHead(6, 5, hidden, bin)(states).shape == (1, 10 // bin, 5)
