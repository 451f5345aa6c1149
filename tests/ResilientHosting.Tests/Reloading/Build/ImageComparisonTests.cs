using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class ImageComparisonTests
{
    private static readonly byte[] Library = File.ReadAllBytes(typeof(IDevReloader).Assembly.Location);

    [Fact]
    public void FindDifference_SameImage_FindsNone() => Assert.Null(ImageComparison.FindDifference(Library, Library));

    [Fact]
    public void FindDifference_OtherImage_SaysWhatDiffers()
    {
        var tests = File.ReadAllBytes(typeof(ImageComparisonTests).Assembly.Location);

        Assert.Matches("^[0-9]+ types instead of [0-9]+$", ImageComparison.FindDifference(Library, tests));
    }
}
