using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class WantedFormatTests
{
    [Theory]
    [InlineData("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", true)]
    [InlineData("text/html", true)]
    [InlineData("TEXT/HTML; charset=utf-8", true)]
    [InlineData("text/html, */*", true)]
    [InlineData("text/*", true)]
    [InlineData("application/json;q=0.5, text/html;q=0.6", true)]
    [InlineData("text/html;level=1", false)]
    [InlineData("", false)]
    [InlineData("*/*", false)]
    [InlineData("application/json", false)]
    [InlineData("application/json, text/plain, */*", false)]
    [InlineData("application/json, text/html", false)]
    [InlineData("text/html;q=0.5, application/problem+json", false)]
    [InlineData("text/html;q=0.5, application/json;q=0.6", false)]
    [InlineData("text/html;q=0.5, */*", false)]
    [InlineData("text/html;q=0, */*", false)]
    [InlineData("text/html;q=0", false)]
    [InlineData("image/avif,image/webp,image/*,*/*;q=0.8", false)]
    [InlineData("text/event-stream", false)]
    [InlineData("image/png", false)]
    [InlineData("text/htmlx", false)]
    [InlineData("html", false)]
    [InlineData(";;;,,,\"", false)]
    public void IsPage_Accept_IsWhatBrowsersAskFor(string accept, bool isPage) => Assert.Equal(isPage, WantedFormat.IsPage(accept));

    [Fact]
    public void IsPage_SeveralHeaders_CountAsOne() => Assert.True(WantedFormat.IsPage(new(["application/json;q=0.5", "text/html"])));

    [Fact]
    public void IsPage_NoHeader_IsForPrograms() => Assert.False(WantedFormat.IsPage(default));
}
