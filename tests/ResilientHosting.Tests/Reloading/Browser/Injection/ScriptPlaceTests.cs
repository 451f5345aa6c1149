using System.Text;
using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class ScriptPlaceTests
{
    /// <summary>Pages with the place marked by a |.</summary>
    public static TheoryData<string> Pages { get; } =
    [
        "<!doctype html><html lang=\"en\"><head>|<title>a</title></head><body>b</body></html>",
        "<!DOCTYPE html>\n<!-- <head> -->\n<HTML>\n<HEAD\tclass=x>|\n<TITLE>",
        "<!doctype html>\r\n|<title>no head</title>",
        "<!doctype html><html>|<body>",
        "<html><head data-a=\"1>2\" data-b='\"/>'>|<meta>",
        "<html data-x='<head>'><head>|</head>",
        "|<h1>a piece</h1>",
        "|plain",
        "  |plain",
        "|<header>not a head</header>",
        "<html>|<header>",
        "|<htmlx>",
        "\uFEFF<!doctype html><head>|",
        "\uFEFF|text",
        "|ÿ!",
        "<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"a.dtd\"><html><head>|",
        "<!--><head>|",
        "<!-- a -- > <html> --->\n<head/>|x",
        "<!-- é -->|é",
        "<!-|",
        "|</head>",
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Page_InOnePiece_HasThePlaceInItsHead(string marked)
    {
        // Half a word at the end is only known to be none when nothing follows.
        var isCutOff = marked.EndsWith("<!-|", StringComparison.Ordinal);

        Assert.Equal(isCutOff ? "" : marked, Read(marked, [int.MaxValue]));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Page_InPieces_HasThePlaceWhereItHasItInOnePiece(string marked)
    {
        const int Seed = 20_261_122;
        var random = new Random(Seed);
        var inOnePiece = Read(marked, [int.MaxValue]);
        for (var i = 0; i < 200; i++)
        {
            var pieces = Enumerable.Range(0, 400).Select(_ => random.Next(1, 1 + random.Next(1, 12))).ToArray();

            var read = Read(marked, pieces);

            Assert.True(read == inOnePiece, $"Seed {Seed}, round {i}: {read} instead of {inOnePiece}");
        }
    }

    [Fact]
    public void Page_InPieces_HoldsBackHalfAWordAtMost()
    {
        var html = Encoding.UTF8.GetBytes("<!doctype html><!-- a comment --><html lang='en'><head class='x'>");
        for (var length = 1; length < html.Length; length++)
        {
            Assert.InRange(length - new ScriptPlace().Read(html.AsSpan(0, length)), 0, "<html".Length);
        }
    }

    /// <summary>Shows a page piece by piece, as a stream does.</summary>
    /// <returns>The page with the place marked; empty if it is not found.</returns>
    private static string Read(string marked, int[] pieces)
    {
        var html = Encoding.UTF8.GetBytes(marked.Replace("|", "", StringComparison.Ordinal));
        var place = new ScriptPlace();
        var (passed, shown) = (0, 0);
        foreach (var piece in pieces)
        {
            shown = (int)Math.Min(html.Length, (long)shown + piece);
            passed += place.Read(html.AsSpan(passed, shown - passed));
            if (place.IsFound)
            {
                return Encoding.UTF8.GetString(html.AsSpan(0, passed)) + "|" + Encoding.UTF8.GetString(html.AsSpan(passed));
            }
        }

        return "";
    }
}
