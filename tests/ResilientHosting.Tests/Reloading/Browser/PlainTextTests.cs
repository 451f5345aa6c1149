using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class PlainTextTests
{
    [Theory]
    [InlineData("plain, ünïcode, 日本, 👋", "plain, ünïcode, 日本, 👋")]
    [InlineData("\e[31mred\e[0m and \e[1;38;5;200mpink", "red and pink")]
    [InlineData("\u009B31mred", "red")]
    [InlineData("\e]8;;http://attacker.example\e\\link\e]8;;\a", "link")]
    [InlineData("a\r\nb\rc\nd\te", "a\nb\nc\nd\te")]
    [InlineData("bell\a, null\0, delete\u007F", "bell␇, null␀, delete␡")]
    [InlineData("\u202Efdp.exe\u202C \u2066x\u2069", "\uFFFDfdp.exe\uFFFD \uFFFDx\uFFFD")]
    [InlineData("\u0085\u0090", "\n\uFFFD")]
    public void Of_WhatMisleads_IsTakenOutOrVisible(string text, string shown) => Assert.Equal(shown, PlainText.Of(text, 100));

    [Fact]
    public void Of_HalfALetter_IsReplaced() => Assert.Equal("\uFFFD here, \uFFFD there, \uFFFD", PlainText.Of("\uD83D here, \uDC4B there, \uD83D", 100));

    [Theory]
    [InlineData("12345", "12345")]
    [InlineData("123456", "12345…")]
    [InlineData("1234👋", "1234\uFFFD…")]
    public void Of_TooLong_IsCut(string text, string shown) => Assert.Equal(shown, PlainText.Of(text, 5));

    [Fact]
    public void Of_Huge_IsCutBeforeItIsLookedAt()
    {
        var shown = PlainText.Of(string.Concat(Enumerable.Repeat("\e[31m", 5_000_000)) + "end", 10);

        Assert.Equal("…", shown);
    }

    [Fact]
    public void Mend_KeepsTheLength_SoThatColumnsStay()
    {
        const int Seed = 20_261_122;
        var random = new Random(Seed);
        for (var i = 0; i < 2_000; i++)
        {
            var text = HostileText.Next(random, 40);
            var mended = PlainText.Mend(text);

            Assert.True(mended.Length == text.Length, $"Seed {Seed}, text {i}");
            Assert.True(mended.All(letter => !char.IsControl(letter) || letter is '\t' or '\n'), $"Seed {Seed}, text {i}");
            Assert.Equal(mended, PlainText.Mend(mended));
        }
    }
}
